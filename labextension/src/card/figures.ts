// Figures as people read them; the same words as in gcs_lab/widgets, held together by common tests.

export function formatMemory(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  // 1023.5 would be written as 1024 of the smaller unit.
  let size = bytes;
  while (size >= 1023.5 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : 1;
  return `${size.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** A duration in seconds as a clock that runs: `0:07`, `12:30`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = two(whole % 60);
  return hours > 0
    ? `${hours}:${two(minutes)}:${rest}`
    : `${minutes}:${rest}`;
}

export function formatWall(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatClock(Math.round(seconds));
}

/** A number with its thousands apart: `12,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
