// Where a searched text stands in a log: lines that match, as far as the server has been asked.
import type { ILogMatches } from '../../protocol/rest';

export interface IFound {
  text: string;
  /** The line that is shown; -1: none. */
  line: number;
}

export const NOTHING_FOUND: IFound = { text: '', line: -1 };

/** Matches of one answer. */
export const MOST_MATCHES = 1000;

export interface IMatches {
  text: string;
  lines: number[];
  /** Of `lines`; -1: none yet. */
  at: number;
  more: boolean;
}

export function begun(text: string, told: ILogMatches): IMatches {
  return { text, lines: told.matches.map(one => one.line), at: told.matches.length > 0 ? 0 : -1, more: told.more };
}

export function extended(before: IMatches, told: ILogMatches): IMatches {
  const known = new Set(before.lines);
  return { ...before, lines: [...before.lines, ...told.matches.map(one => one.line).filter(line => !known.has(line))], more: told.more };
}

/** One on or back, from the end to the beginning; null: the next ones have to be asked for first. */
export function stepped(before: IMatches, by: 1 | -1): IMatches | null {
  const { lines, at, more } = before;
  if (lines.length === 0) {
    return before;
  }
  if (by > 0 && at === lines.length - 1 && more) {
    return null;
  }
  return { ...before, at: (at + by + lines.length) % lines.length };
}
