// The terms of a filter's text: what a click adds or takes away. The language itself is understood by the host alone
// (gcs_lab/status/filter_language.py); here only the words are told apart.

export interface ITerm {
  text: string;
  start: number;
  end: number;
}

/** What needs no quotes as the value of a term. */
const PLAIN = /^[^\s"'(),:<>=~*?]+$/;

/** The terms that all are needed, in order. Alternatives that stand beside each other (`a or b`) are one of them. */
export function termsOf(text: string): ITerm[] {
  const words = wordsOf(text);
  if (words.some(word => word.text.toLowerCase() === 'or')) {
    const first = words[0];
    const last = words.at(-1);
    return first === undefined || last === undefined ? [] : [join(text, first, last)];
  }
  const terms: ITerm[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const first = words[at];
    let last = first;
    while (last?.text.toLowerCase() === 'not' && at + 1 < words.length) {
      at += 1;
      last = words[at];
    }
    if (first !== undefined && last !== undefined && first.text.toLowerCase() !== 'and') {
      terms.push(join(text, first, last));
    }
  }
  return terms;
}

export function withoutTerm(text: string, term: ITerm): string {
  return `${text.slice(0, term.start).trimEnd()} ${text.slice(term.end).trimStart()}`.trim();
}

/** The values that a filter narrows a column to: `['alice', 'bob']` of `owner:alice,bob`. */
export function valuesOf(text: string, column: string): string[] {
  const term = termsOf(text).find(one => isOf(one, column));
  return term === undefined ? [] : split(term.text.slice(column.length + 1));
}

/**
 * The filter with a value of a column added, or taken away if it is there. Values of one column are alternatives: a
 * second owner widens what the first one left.
 */
export function narrowed(text: string, column: string, value: string): string {
  const term = termsOf(text).find(one => isOf(one, column));
  if (term === undefined) {
    const needsBrackets = wordsOf(text).some(word => word.text.toLowerCase() === 'or');
    return `${needsBrackets ? `(${text.trim()})` : text.trim()} ${column}:${quoted(value)}`.trim();
  }
  const values = split(term.text.slice(column.length + 1));
  const left = values.includes(value) ? values.filter(one => one !== value) : [...values, value];
  if (left.length === 0) {
    return withoutTerm(text, term);
  }
  return `${text.slice(0, term.start)}${column}:${left.map(quoted).join(',')}${text.slice(term.end)}`.trim();
}

function isOf(term: ITerm, column: string): boolean {
  return term.text.toLowerCase().startsWith(`${column.toLowerCase()}:`);
}

function quoted(value: string): string {
  return PLAIN.test(value) && !value.startsWith('-') ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Words by white space; quotes and brackets hold together. */
function wordsOf(text: string): ITerm[] {
  const words: ITerm[] = [];
  let start = -1;
  let depth = 0;
  let quote = '';
  for (let at = 0; at <= text.length; at += 1) {
    const sign = text.charAt(at);
    const ends = at === text.length || (quote === '' && depth === 0 && /\s/.test(sign));
    if (ends) {
      if (start >= 0) {
        words.push({ text: text.slice(start, at), start, end: at });
      }
      start = -1;
      continue;
    }
    start = start < 0 ? at : start;
    if (quote !== '') {
      if (sign === '\\') {
        at += 1;
      } else if (sign === quote) {
        quote = '';
      }
    } else if (sign === '"' || sign === "'") {
      quote = sign;
    } else {
      depth = Math.max(0, depth + (sign === '(' ? 1 : sign === ')' ? -1 : 0));
    }
  }
  return words;
}

/** Alternatives by comma, without their quotes. */
function split(values: string): string[] {
  return [...values.matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|([^,]+)/g)]
    .map(([, double, single, plain]) => double?.replace(/\\(.)/g, '$1') ?? single ?? plain ?? '')
    .filter(value => value !== '');
}

function join(text: string, first: ITerm, last: ITerm): ITerm {
  return { text: text.slice(first.start, last.end), start: first.start, end: last.end };
}
