import { describe, expect, it } from 'vitest';

import { cellAt, layoutStrip, moveBy, placeOf } from '../src/sweep_card/strip_layout';
import { allowedActions, cellText, estimate, progress, tasksOf } from '../src/sweep_card/sweep';
import { DONE, FAILED, QUEUED, RUNNING, makeSweep } from './make_sweep';

describe('the layout', () => {
  it.each([
    [1, 700],
    [37, 700],
    [100, 380],
    [1000, 900],
    [4000, 380],
    [4000, 700],
    [4000, 2000],
    [10, 3]
  ])('of %d cells in %d pixels has room for each, and no row is wider', (count, room) => {
    const layout = layoutStrip(count, room);
    expect(layout.columns * layout.rows).toBeGreaterThanOrEqual(count);
    expect(layout.columns * (layout.rows - 1)).toBeLessThan(count);
    expect(layout.width).toBeLessThanOrEqual(Math.max(room, 12));
    expect(layout.size).toBeGreaterThanOrEqual(3);
  });

  it('shows few cells large, with drawings, and 4,000 small, in less than 200 pixels of height', () => {
    expect(layoutStrip(50, 700).drawings).toBe(true);
    const many = layoutStrip(4000, 700);
    expect(many.drawings).toBe(false);
    expect(many.height).toBeLessThan(200);
  });

  it('has rows of whole tens', () => {
    expect(layoutStrip(4000, 700).columns % 10).toBe(0);
  });

  it.each([5, 333, 4000])('finds each of %d cells where it is', count => {
    const layout = layoutStrip(count, 650);
    for (let cell = 0; cell < count; cell += 7) {
      const [x, y] = placeOf(layout, cell);
      expect(cellAt(layout, x + layout.size / 2, y + layout.size / 2)).toBe(cell);
    }
  });

  it('has no cell beside the rows or behind the last', () => {
    const layout = layoutStrip(333, 650);
    expect(cellAt(layout, 0, 0)).toBe(-1);
    expect(cellAt(layout, layout.width, 8)).toBe(-1);
    expect(cellAt(layout, layout.width - 6, layout.height - 6)).toBe(-1);
  });
});

describe('the arrow keys', () => {
  const layout = layoutStrip(333, 650);

  it.each([
    ['ArrowRight', 5, 6],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 5, 5 + layout.columns],
    ['ArrowUp', 5, 5],
    ['ArrowDown', 332, 332],
    ['End', 5, 332],
    ['Home', 300, 0],
    ['PageDown', 5, 332]
  ])('%s leads from cell %d to %d', (key, from, to) => {
    expect(moveBy(layout, from, key)).toBe(to);
  });

  it('are the only ones that move', () => {
    expect(moveBy(layout, 5, 'a')).toBeUndefined();
  });
});

describe('a cell', () => {
  it('of one task says its number and state', () => {
    expect(cellText(makeSweep([DONE, FAILED]), 1)).toBe('task 2: failed');
  });

  it('of many tasks says which they are; the last may have fewer', () => {
    const sweep = makeSweep([DONE, FAILED, DONE], { tasks: 2450, tasks_per_cell: 1000 });
    expect(cellText(sweep, 0)).toBe('tasks 1–1,000: done');
    expect(cellText(sweep, 1)).toBe('tasks 1,001–2,000: failed (some)');
    expect(tasksOf(sweep, 2)).toEqual([2001, 2450]);
  });
});

describe('the buttons', () => {
  it.each([
    [[QUEUED, RUNNING], {}, ['hold', 'cancel']],
    [[RUNNING, FAILED], {}, ['rerun_failed', 'cancel']],
    [[2, 1], {}, ['hold', 'release', 'cancel']],
    [[DONE, DONE], {}, []],
    [[DONE, FAILED], { ended: true }, ['rerun_failed']],
    [[QUEUED], { job_id: '' }, []]
  ])('for tasks in %j with %j are %j', (strip, different, actions) => {
    expect(allowedActions(makeSweep(strip, different))).toEqual(actions);
  });
});

describe('the progress', () => {
  it('counts failed tasks as over, and tells how long the others take', () => {
    const sweep = makeSweep([DONE, FAILED, RUNNING, QUEUED], { wall_left: 200 });
    expect(progress(sweep)).toEqual({ fraction: 0.5, text: '2/4' });
    expect(estimate(sweep)).toBe('about 3:20 left');
    expect(estimate({ ...sweep, ended: true })).toBe('');
  });
});
