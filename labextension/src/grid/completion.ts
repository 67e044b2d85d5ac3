// Completion of the filter language: which words or values may stand where the caret is.
import type { IFilterWord } from '../protocol/messages';

const MOST_OFFERS = 8;
/** A term as far as it is typed: a sign, a word, an operator, a value. */
const TERM = /(-?\(*)([\w.]*)(:|~|[<>]=?|=)?("[^"]*"?|[^\s()]*)$/;

export interface IOffer {
  label: string;
  help: string;
  /** What is put in the place of the characters from `start` to before `end`. */
  insert: string;
  start: number;
  end: number;
  /** Whether the term is whole with it. */
  whole: boolean;
}

/** @returns what may be put where the caret stands, the likeliest first; at most 8 */
export function offersFor(text: string, caret: number, words: IFilterWord[]): IOffer[] {
  const match = TERM.exec(text.slice(0, caret));
  if (match === null) {
    return [];
  }
  const [whole, , word = '', operator, value = ''] = match;
  // Within quotes anything may stand; a value that is begun with one is a value still.
  const quoted = text.slice(0, caret).split('"').length % 2 === 0;
  if (operator === undefined) {
    return quoted || value !== '' ? [] : wordsFor(word, caret, words);
  }
  return quoted && !whole.includes('"') ? [] : valuesFor(word, value, caret, words);
}

function wordsFor(typed: string, caret: number, words: IFilterWord[]): IOffer[] {
  const lower = typed.toLowerCase();
  const begins = words.filter(({ word }) => word.startsWith(lower) && word !== lower);
  const contains = lower === '' ? [] : words.filter(({ word }) => word.indexOf(lower) > 0);
  return [...begins, ...contains].slice(0, MOST_OFFERS).map(({ word, help }) => ({
    label: word, help, insert: `${word}:`, start: caret - typed.length, end: caret, whole: false
  }));
}

function valuesFor(word: string, typed: string, caret: number, words: IFilterWord[]): IOffer[] {
  const known = words.find(one => one.word === word.toLowerCase());
  // Of alternatives the last is being typed.
  const last = typed.slice(typed.lastIndexOf(',') + 1).replace(/^"/, '');
  const taken = new Set(typed.split(',').slice(0, -1));
  const fitting = (known?.values ?? []).filter(value => value.toLowerCase().startsWith(last.toLowerCase()) && value !== last && !taken.has(value));
  const start = caret - (typed.length - (typed.lastIndexOf(',') + 1));
  return fitting.slice(0, MOST_OFFERS).map(value => ({
    label: value, help: '', insert: /[\s,()"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value, start, end: caret, whole: true
  }));
}

/** @returns the text with an offer in its place, and where the caret is then */
export function completed(text: string, offer: IOffer): { text: string; caret: number } {
  const rest = text.slice(offer.end);
  const space = offer.whole && !rest.startsWith(' ') ? ' ' : '';
  return { text: text.slice(0, offer.start) + offer.insert + space + rest, caret: offer.start + offer.insert.length + space.length };
}
