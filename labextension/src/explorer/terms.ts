// What a click on a figure or a finding does to the filter.
import { narrowed, termsOf, withoutTerm } from '../grid/filter_terms';

const VALUE = /^([a-z_]+):(?!\s)(.+)$/s;

/** Column and value of a term that names one value: `owner:alice`; undefined of any other. */
export function valueOf(term: string): [string, string] | undefined {
  const parts = VALUE.exec(term);
  const [, column, value] = parts ?? [];
  if (column === undefined || value === undefined) {
    return undefined;
  }
  const quoted = /^"((?:\\.|[^"\\])*)"$/s.exec(value);
  if (quoted?.[1] !== undefined) {
    return [column, quoted[1].replace(/\\(.)/gs, '$1')];
  }
  return termsOf(term).length === 1 && !/[",*?]/.test(value) ? [column, value] : undefined;
}

/** Whether all that a finding asks for is in the filter. */
export function holds(filter: string, term: string): boolean {
  const there = termsOf(filter).map(one => one.text);
  const wanted = termsOf(term).map(one => one.text);
  return wanted.length > 0 && wanted.every(one => there.includes(one));
}

/** The filter with the terms of a finding, or without them if all are there. */
export function toggled(filter: string, term: string): string {
  const wanted = termsOf(term).map(one => one.text);
  if (holds(filter, term)) {
    return wanted.reduce((text, one) => {
      const found = termsOf(text).find(there => there.text === one);
      return found === undefined ? text : withoutTerm(text, found);
    }, filter);
  }
  return wanted.reduce((text, one) => {
    const there = termsOf(text);
    if (there.some(other => other.text === one)) {
      return text;
    }
    // Alternatives that stand beside each other are one whole.
    const alternatives = there.length === 1 && /\sor\s/i.test(text) && !text.startsWith('(');
    return `${alternatives ? `(${text.trim()})` : text.trim()} ${one}`.trim();
  }, filter);
}

/**
 * The filter after a click: each term that names a value is added to the others of its column, or taken away if it is
 * there.
 */
export function clicked(filter: string, terms: readonly string[]): string {
  return terms.reduce((text, term) => {
    const value = valueOf(term);
    return value === undefined ? toggled(text, term) : narrowed(text, ...value);
  }, filter);
}
