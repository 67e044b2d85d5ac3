// Where the rows that are seen have gone when others came or went above them.
import type { RowStore } from './row_store';
import type { ScrollRange } from './scroll_range';

/** A change of place beyond this is a sort of the rows, not some rows that came above. */
const MOST_SHIFT = 60;

/** The places of the rows that are seen, by key. */
export function placesSeen(range: ScrollRange, store: RowStore): Map<string, number> {
  const places = new Map<string, number>();
  for (let index = range.firstRow; index < range.endRow; index += 1) {
    const key = store.keyAt(index);
    if (key !== undefined) {
      places.set(key, index);
    }
  }
  return places;
}

/** By how many rows they were moved, most of them; 0 where that cannot be told. */
export function shiftOf(before: Map<string, number>, store: RowStore): number {
  const shifts = [...before].flatMap(([key, index]) => {
    const now = store.indexOf(key);
    return now < 0 ? [] : [now - index];
  });
  const shift = shifts.sort((one, other) => one - other)[Math.floor(shifts.length / 2)] ?? 0;
  return Math.abs(shift) <= MOST_SHIFT ? shift : 0;
}
