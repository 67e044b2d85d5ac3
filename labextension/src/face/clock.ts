// Times and durations as people say them. All are seconds.
import { formatClock, formatMemory } from '../card/figures';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something took or takes: `3 s`, `12 min`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) {
    return `${whole} s`;
  }
  if (whole < HOUR) {
    return `${Math.floor(whole / MINUTE)} min`;
  }
  const [large, small, units] = whole < DAY ? [HOUR, MINUTE, ['h', 'min']] : [DAY, HOUR, ['d', 'h']];
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${units[0] ?? ''}${rest > 0 ? ` ${rest} ${units[1] ?? ''}` : ''}`;
}

/** `12:31`, with seconds if wanted; with the date if it is not of the day of `now`. */
export function timeOfDay(time: number, now: number, seconds = false): string {
  const at = new Date(time * 1000);
  const clock = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(seconds ? { second: '2-digit' } : {}) });
  const sameDay = at.toDateString() === new Date(now * 1000).toDateString();
  return sameDay ? clock : `${at.toLocaleDateString([], { month: 'short', day: 'numeric' })} ${clock}`;
}

/** A figure of a job's usage, as its unit is read. */
export function measure(value: number, unit: 'bytes' | 'seconds' | 'count'): string {
  if (unit === 'seconds') {
    return formatClock(value);
  }
  return unit === 'count' ? value.toLocaleString('en-US', { maximumFractionDigits: 2 }) : formatMemory(value);
}
