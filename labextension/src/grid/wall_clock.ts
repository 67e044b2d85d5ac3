// What a clock on some wall shows at a moment: the browser's, or that of the machine whose times are shown.

export class WallClock {
  /** @param aheadAt - how far it is ahead of UTC at a moment; both are seconds */
  constructor(readonly aheadAt: (time: number) => number) {}

  /** A date whose UTC parts are those that the clock shows. */
  shown(time: number): Date {
    return new Date((time + this.aheadAt(time)) * 1000);
  }

  /** The moment at which it shows so many milliseconds, counted as if it were UTC. */
  moment(shown: number): number {
    const at = shown / 1000;
    // Where it was turned forward or back, the offset at the first guess may not be that of the moment.
    return at - this.aheadAt(at - this.aheadAt(at));
  }
}

export const BROWSER_CLOCK = new WallClock(time => new Date(time * 1000).getTimezoneOffset() * -60);

/** @param changes - from when on (seconds since the epoch) it is how far ahead of UTC, in seconds; the first holds before */
export function clockOf(changes: readonly (readonly [number, number])[]): WallClock {
  return new WallClock(time => (changes.filter(([since]) => since <= time).at(-1) ?? changes[0] ?? [0, 0])[1]);
}
