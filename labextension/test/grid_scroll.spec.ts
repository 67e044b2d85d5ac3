import { describe, expect, it } from 'vitest';

import { ROW_PIXELS, ScrollRange } from '../src/grid/scroll_range';

function range(count: number, seen = 280): ScrollRange {
  const made = new ScrollRange();
  made.resize(count, seen);
  return made;
}

describe('a table that a browser can lay out', () => {
  it('scrolls pixel by pixel', () => {
    const small = range(1000);
    expect(small.height).toBe(1000 * ROW_PIXELS);
    small.scrolled(281);
    expect([small.top, small.firstRow, small.endRow]).toEqual([281, 10, 21]);
    expect(small.settled()).toBe(281);
  });
});

describe('a table of a million rows', () => {
  it('is lower than what browsers lay out, and its last row can be reached', () => {
    const large = range(1_000_000);
    expect(large.height).toBeLessThan(17_000_000);
    large.scrolled(large.height - 280);
    expect(large.endRow).toBe(1_000_000);
    large.scrolled(0);
    expect(large.firstRow).toBe(0);
  });

  it('goes on row by row with a wheel, wherever it is', () => {
    const large = range(1_000_000);
    large.scrolled(4_000_000);
    const before = large.top;
    large.scrolled(4_000_000 + 100);
    expect(large.top).toBe(before + 100);
  });

  it('has the scroll bar where the rows are, and moving it there moves no row', () => {
    const large = range(1_000_000);
    large.moveTo(500_000 * ROW_PIXELS);
    const at = large.settled();
    large.scrolled(at);
    expect(large.firstRow).toBe(500_000);
    expect(at / large.height).toBeCloseTo(0.5, 3);
  });

  it('shows every row when it is asked to', () => {
    const large = range(1_000_000);
    for (const row of [0, 1, 17, 499_999, 999_998, 999_999]) {
      large.moveTo(large.topFor(row));
      expect(large.top).toBeLessThanOrEqual(row * ROW_PIXELS);
      expect(large.top + 280).toBeGreaterThanOrEqual((row + 1) * ROW_PIXELS);
    }
  });
});

it('a table that shrinks leaves no place beyond its end', () => {
  const shrinking = range(1000);
  shrinking.scrolled(27_000);
  shrinking.resize(20, 280);
  expect(shrinking.endRow).toBe(20);
  shrinking.resize(0, 280);
  expect([shrinking.top, shrinking.endRow]).toEqual([0, 0]);
});
