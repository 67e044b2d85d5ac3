// Periods of time to choose from. All times are seconds since the epoch; days and months are those of the host's clock, by
// which figures are drawn, too.
import type { WallClock } from '../grid/wall_clock';

export interface IPeriod {
  since: number | null;
  until: number | null;
}

export interface IPreset {
  name: string;
  label: string;
  help: string;
  /** @param last - when the last record ended */
  of(last: number, clock: WallClock): IPeriod;
}

const HOUR = 3600;
export const DAY = 24 * HOUR;

/** They end with the last record, not now: records of years ago are looked at, too. */
export const PRESETS: readonly IPreset[] = [
  back('24h', '24 h', 'the last 24 hours', DAY),
  back('7d', '7 days', 'the last 7 days', 7 * DAY),
  back('30d', '30 days', 'the last 30 days', 30 * DAY),
  back('90d', '90 days', 'the last 90 days', 90 * DAY),
  { name: 'month', label: 'This month', help: 'the month of the last record', of: (last, clock) => ({ since: monthOf(last, 0, clock), until: null }) },
  { name: 'before', label: 'Last month', help: 'the whole month before', of: (last, clock) => ({ since: monthOf(last, -1, clock), until: monthOf(last, 0, clock) }) },
  back('year', 'Year', 'the last 365 days', 365 * DAY),
  { name: 'all', label: 'All', help: 'all records', of: () => ({ since: null, until: null }) }
];

function back(name: string, label: string, what: string, seconds: number): IPreset {
  // To the hour: the same period is the same text in code and links for a while.
  return { name, label, help: `${what} before the last record`, of: last => ({ since: Math.floor((last - seconds) / HOUR) * HOUR, until: null }) };
}

function monthOf(time: number, ahead: number, clock: WallClock): number {
  const date = clock.shown(time);
  return clock.moment(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead, 1));
}

/**
 * The preset that a period is; undefined: it was chosen by hand. Records may have come since it was chosen, and the host
 * begins periods with a whole day. */
export function presetOf(period: IPeriod, last: number, clock: WallClock): string | undefined {
  const near = Math.max(2 * HOUR, 0.05 * (last - (period.since ?? last)));
  const close = (one: number | null, other: number | null) => one === other || (one !== null && other !== null && Math.abs(one - other) <= near);
  return PRESETS.find(preset => {
    const { since, until } = preset.of(last, clock);
    return close(since, period.since) && close(until, period.until);
  })?.name;
}

/** The period as long as this one before or after it. */
export function stepped(period: IPeriod, span: readonly [number, number], steps: number): IPeriod {
  const since = period.since ?? span[0];
  const until = period.until ?? span[1];
  const length = Math.max(1, until - since);
  return { since: since + steps * length, until: until + steps * length };
}

/** As an input of the type `datetime-local` takes it; '' for null. */
export function toInput(time: number | null, clock: WallClock): string {
  if (time === null) {
    return '';
  }
  return clock.shown(time).toISOString().slice(0, 16);
}

/** null where it is empty or no time. */
export function fromInput(text: string, clock: WallClock): number | null {
  const shown = new Date(`${text}Z`).getTime();
  return text === '' || Number.isNaN(shown) ? null : clock.moment(shown);
}

/** A place on an axis of time of plotly's: the clock as text (`2026-03-01 05:30:12.5`) or milliseconds. */
export function fromAxis(text: string, clock: WallClock): number | null {
  const number = Number(text);
  if (text !== '' && Number.isFinite(number)) {
    // Milliseconds that show the clock as if it were UTC.
    return clock.moment(number);
  }
  const padded = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T').replace(/(\.\d{3})\d+$/, '$1');
  return fromInput(padded, clock);
}

/** `1 Mar 2026 05:30`; whole days without the time. */
export function timeInWords(time: number, clock: WallClock): string {
  const at = clock.shown(time);
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  const whole = at.getUTCHours() === 0 && at.getUTCMinutes() === 0;
  return whole ? day : `${day} ${at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' })}`;
}

export function periodInWords(period: IPeriod, span: readonly [number, number] | null, clock: WallClock): string {
  const since = period.since ?? span?.[0];
  const until = period.until ?? span?.[1];
  return since === undefined || until === undefined ? 'all records' : `${timeInWords(since, clock)} – ${timeInWords(until, clock)}`;
}
