// Values of cells as people read them.
import { formatClock, formatCount, formatMemory } from '../card/figures';
import { lookOf } from '../card/state_look';
import type { ColumnType, IColumn } from '../protocol/messages';
import type { IGridColumn, IGridRow } from './grid_api';
import { BROWSER_CLOCK, type WallClock } from './wall_clock';

export type CellValue = IGridRow['cells'][string];

export const MISSING = '–';
const DAY = 86_400;
/** Counts of a row's tasks in the order in which the host tells them: the state of its look, and its word. */
export const TASK_STATES = [
  ['RUNNING', 'running'],
  ['SUSPENDED', 'suspended'],
  ['QUEUED', 'pending'],
  ['QUEUED_HELD', 'held'],
  ['FAILED', 'in error']
] as const;

/** Columns whose values narrow the table. */
export const NARROWING: ReadonlySet<string> = new Set(['owner', 'queue', 'host', 'project', 'department']);

const RIGHT: ReadonlySet<ColumnType> = new Set(['count', 'number', 'duration', 'bytes', 'time']);

/** Figures stand below figures. */
export function isRight(type: ColumnType): boolean {
  return RIGHT.has(type);
}

/** Whether a cell shows a state: of a queue or a host its column is text. */
export function isState(column: IColumn): boolean {
  return column.type === 'state' || column.name === 'state';
}

/** What a cell says, for a person, a screen reader, and a comparison with what it said before. */
export function cellText(column: IGridColumn, value: CellValue | undefined, now: number): string {
  if (value === null || value === undefined || value === '') {
    return isState(column) ? '' : MISSING;
  }
  if (Array.isArray(value)) {
    return column.type === 'slots' ? `${formatCount(value[0] ?? 0)}/${formatCount(value[1] ?? 0)}` : tasksText(value);
  }
  if (typeof value === 'boolean') {
    return value ? 'yes' : 'no';
  }
  if (typeof value === 'string') {
    return value;
  }
  switch (column.type) {
    case 'count':
      return formatCount(value);
    case 'number':
      return value.toFixed(column.name === 'priority' ? 5 : 2);
    case 'time':
      return timeText(value, now, column.clock);
    case 'duration':
      return durationText(value);
    case 'bytes':
      return formatMemory(value);
    default:
      return String(value);
  }
}

/** What the clock shows: of today the time, else the day with it. */
export function timeText(time: number, now: number, clock: WallClock = BROWSER_CLOCK): string {
  const date = clock.shown(time);
  const today = clock.shown(now);
  const two = (part: number) => String(part).padStart(2, '0');
  const hour = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  const day = `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  const [year, thisYear] = [date.getUTCFullYear(), today.getUTCFullYear()];
  if (year === thisYear && day === `${two(today.getUTCMonth() + 1)}-${two(today.getUTCDate())}`) {
    return `${hour}:${two(date.getUTCSeconds())}`;
  }
  return year === thisYear ? `${day} ${hour}` : `${year}-${day} ${hour}`;
}

export function durationText(seconds: number): string {
  const days = Math.floor(seconds / DAY);
  if (days === 0) {
    return formatClock(seconds);
  }
  // Hours, also where there are none: `10d 00:07:15`.
  const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return `${days}d ${parts.map(part => String(part).padStart(2, '0')).join(':')}`;
}

/** "3 h ago", "in 5 min": roughly. */
export function relativeText(time: number, now: number): string {
  const seconds = Math.abs(now - time);
  const [size, unit] = seconds < 90 ? [1, 's'] : seconds < 5400 ? [60, 'min'] : seconds < 2 * DAY ? [3600, 'h'] : [DAY, 'days'];
  const amount = `${Math.round(seconds / size)} ${unit}`;
  return time <= now ? `${amount} ago` : `in ${amount}`;
}

/** "12 running, 3 held". */
export function tasksText(counts: readonly number[]): string {
  const said = TASK_STATES.flatMap(([, word], place) => {
    const count = counts[place] ?? 0;
    return count > 0 ? [`${formatCount(count)} ${word}`] : [];
  });
  return said.join(', ') || 'no tasks';
}

/** What is said on a cell that the mouse rests on. */
export function tipText(column: IGridColumn, row: IGridRow, now: number): string {
  const value = row.cells[column.name];
  if (isState(column)) {
    const { name, letters } = stateOf(column, row);
    return [name === '' ? '' : lookOf(name).word, letters].filter(Boolean).join(' · ') || 'open';
  }
  if (value === null || value === undefined || value === '') {
    return `${column.label}: not known, or none`;
  }
  if (column.type === 'time' && typeof value === 'number') {
    const date = (column.clock ?? BROWSER_CLOCK).shown(value);
    return `${date.toLocaleString([], { timeZone: 'UTC' })} · ${relativeText(value, now)}`;
  }
  if (column.type === 'slots' && Array.isArray(value)) {
    return `${cellText(column, value, now)} slots used`;
  }
  const text = cellText(column, value, now);
  return NARROWING.has(column.name) ? `${text} · click to narrow to it` : text;
}

/**
 * A row's state: the DRMAA2 name stands in its `state`, the system's letters in its `letters`; rows of queues and hosts
 * have letters alone.
 */
export function stateOf(column: IColumn, row: IGridRow): { name: string; letters: string } {
  const text = (value: CellValue | undefined) => (typeof value === 'string' ? value : '');
  const own = text(row.cells[column.name]);
  const other = text(row.cells[column.name === 'state' ? 'letters' : 'state']);
  const [name, letters] = column.name === 'state' ? [own, other] : [other, own];
  return /^[A-Z_]{3,}$/.test(name) ? { name, letters } : { name: '', letters: letters || name };
}
