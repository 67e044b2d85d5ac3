import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import sweepCard from '../src/sweep_card/index';
import type { ISweep, ITask } from '../src/sweep_card/sweep';
import { FakeModel, buttonOf, visibleButtons } from './fake_model';
import { DONE, FAILED, QUEUED, RUNNING, makeSweep } from './make_sweep';

let closers: (() => void)[] = [];

function show(strip: number[], different: Partial<ISweep> = {}) {
  const sweep = makeSweep(strip, different);
  const model = new FakeModel('sweep', sweep, { strip: new DataView(sweep.strip.buffer) });
  const widget = sweepCard();
  widget.initialize({ model: model.typed() });
  const el = document.createElement('div');
  document.body.append(el);
  const close = widget.render({ model: model.typed(), el });
  closers.push(close);
  const slider = el.querySelector<HTMLElement>('[role=slider]');
  if (slider === null) {
    throw new Error('there is no strip');
  }
  return { model, el, slider, close };
}

function press(slider: HTMLElement, ...keys: string[]) {
  for (const key of keys) {
    slider.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  }
}

function task(number: number, different: Partial<ITask> = {}): ITask {
  return { task: number, state: 'DONE', parameters: `x=${number}`, host: 'node1', wall: 3.2, memory: 2 ** 20, error: '', ...different };
}

function answerCell(model: FakeModel<ISweep>, cell: number, tasks: ITask[], version = 'v1') {
  model.emit('msg:custom', { kind: 'cell', cell, version, tasks });
}

beforeEach(() => {
  vi.useFakeTimers({ now: 5_000_000 });
});

afterEach(() => {
  closers.forEach(close => { close(); });
  closers = [];
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe('the head', () => {
  it('says state, counts, progress and estimate', () => {
    const { el } = show([DONE, FAILED, RUNNING, QUEUED], { wall_left: 65, started: 940, parameters: ['x', 'model'] });
    expect(el.textContent).toContain('50% · 2/4');
    expect(el.textContent).toContain('about 1:05 left');
    expect(el.textContent).toContain('over x, model');
    expect(el.textContent).toContain('1:00');
    const items = [...el.querySelectorAll('.gcs-legend li')].map(item => item.textContent);
    expect(items).toEqual(['1 done', '1 failed', '1 running', '1 queued']);
  });

  it('offers to run the failed again, also when all is over, and says what came of it', () => {
    const { el, model } = show([DONE, FAILED], { ended: true, state: 'FAILED' });
    expect(visibleButtons(el)).toEqual(['Rerun failed']);
    buttonOf(el, 'Rerun failed').click();
    expect(model.sent).toEqual([{ kind: 'press', action: 'rerun_failed' }]);
    expect(el.textContent).toContain('rerun requested…');
    model.answer({ action: 'rerun_failed', phase: 'failed', error: 'no slots' });
    expect(el.querySelector('[role=alert]')?.textContent).toContain('rerun failed: no slots');
  });
});

describe('the strip', () => {
  it('is one element, however many tasks there are', () => {
    const { el } = show(Array.from({ length: 4000 }, () => DONE), { tasks: 100_000, tasks_per_cell: 25 });
    expect(el.querySelectorAll('canvas')).toHaveLength(1);
    expect(el.querySelectorAll('*').length).toBeLessThan(80);
  });

  it('tells a screen reader the cell that the keys lead to', () => {
    const { slider } = show([DONE, FAILED, RUNNING]);
    slider.focus();
    press(slider, 'ArrowRight');
    expect(slider.getAttribute('aria-valuenow')).toBe('2');
    expect(slider.getAttribute('aria-valuetext')).toBe('task 2: failed');
    expect(slider.getAttribute('aria-valuemax')).toBe('3');
  });

  it('leads to the next failed task by F, round and round', () => {
    const { slider } = show([FAILED, DONE, FAILED, DONE]);
    const stops = [0, 1, 2].map(() => {
      press(slider, 'f');
      return slider.getAttribute('aria-valuenow');
    });
    expect(stops).toEqual(['3', '1', '3']);
  });

  it('leaves keys with Ctrl to the page', () => {
    const { slider } = show([DONE, DONE]);
    const event = new KeyboardEvent('keydown', { key: 'ArrowRight', ctrlKey: true, cancelable: true });
    slider.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    expect(slider.getAttribute('aria-valuenow')).toBe('1');
  });

  it('keeps to the cells that there are when a new strip is shorter', () => {
    const { slider, model } = show([DONE, DONE, DONE]);
    press(slider, 'End');
    model.set('strip', new DataView(Uint8Array.from([RUNNING]).buffer));
    expect(slider.getAttribute('aria-valuenow')).toBe('1');
    expect(slider.getAttribute('aria-valuetext')).toBe('task 1: running');
  });
});

describe('a cell that is opened', () => {
  it('of one task shows it and its output', () => {
    const { el, slider, model } = show([DONE, FAILED]);
    press(slider, 'ArrowRight', 'Enter');
    expect(model.sent).toEqual([{ kind: 'cell', cell: 1, have: '' }]);
    answerCell(model, 1, [task(2, { state: 'FAILED', error: 'ValueError: <i>no</i>' })]);
    expect(model.sent[1]).toEqual({ kind: 'output', task: 2, have: '' });
    model.emit('msg:custom', { kind: 'output', task: 2, version: 'v1', text: 'fitting <b>2</b>\n' });
    expect(el.querySelector('.gcs-detail')?.textContent).toBe('failedx=2node13.2 s wallpeak 1.0 MiB');
    expect(el.querySelector('.gcs-tasks .gcs-trouble')?.textContent).toBe('ValueError: <i>no</i>');
    expect(el.querySelector('pre')?.textContent).toBe('fitting <b>2</b>\n');
    expect(el.querySelector<HTMLElement>('.gcs-table')?.hidden).toBe(true);
  });

  it('of many tasks lists them, and shows the output of the one that is chosen', () => {
    const { el, slider, model } = show([FAILED], { tasks: 3, tasks_per_cell: 3 });
    press(slider, ' ');
    answerCell(model, 0, [task(3, { state: 'FAILED' }), task(1), task(2)]);
    const numbers = [...el.querySelectorAll('tbody button')].map(node => node.textContent);
    expect(numbers).toEqual(['3', '1', '2']);
    expect(model.sent.at(-1)).toEqual({ kind: 'output', task: 3, have: '' });
    el.querySelectorAll<HTMLButtonElement>('tbody button')[2]?.click();
    expect(model.sent.at(-1)).toEqual({ kind: 'output', task: 2, have: '' });
    model.emit('msg:custom', { kind: 'output', task: 3, version: 'v1', text: 'of another task' });
    expect(el.querySelector('pre')?.textContent).toBe('');
  });

  it('says how many of them are listed when there are more', () => {
    const { el, slider, model } = show([FAILED], { tasks: 250, tasks_per_cell: 250 });
    press(slider, 'Enter');
    answerCell(model, 0, Array.from({ length: 100 }, (_, place) => task(place + 1)));
    expect(el.querySelector('.gcs-tasks')?.textContent).toContain('100 of 250 shown, failed first');
  });

  it('has no column without a word in it', () => {
    const { el, slider, model } = show([FAILED], { tasks: 2, tasks_per_cell: 2 });
    press(slider, 'Enter');
    answerCell(model, 0, [task(1, { wall: -1, memory: 0 }), task(2, { wall: -1, memory: 0 })]);
    expect([...el.querySelectorAll('th')].map(head => head.textContent)).toEqual(['task', 'state', 'parameters', 'host']);
  });

  it('asks again two seconds after an answer while the sweep runs, and once at its end', () => {
    const { slider, model } = show([RUNNING]);
    press(slider, 'Enter');
    answerCell(model, 0, [task(1, { state: 'RUNNING' })]);
    vi.advanceTimersByTime(2100);
    expect(model.sent.slice(2)).toEqual([{ kind: 'cell', cell: 0, have: 'v1' }]);
    model.tell({ state: 'DONE', ended: true });
    expect(model.sent.slice(3)).toEqual([{ kind: 'cell', cell: 0, have: 'v1' }, { kind: 'output', task: 1, have: '' }]);
    model.emit('msg:custom', { kind: 'cell', cell: 0, version: 'v1' });
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(5);
  });

  it('is closed by Escape, and the strip has the focus', () => {
    const { el, slider, model } = show([RUNNING]);
    press(slider, 'Enter', 'Escape');
    expect(el.querySelector<HTMLElement>('.gcs-tasks')?.hidden).toBe(true);
    expect(document.activeElement).toBe(slider);
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(1);
  });

  it('says why when the kernel cannot tell', () => {
    const { el, slider, model } = show([RUNNING]);
    press(slider, 'Enter');
    model.emit('msg:custom', { kind: 'cell', cell: 0, error: 'the folder is gone' });
    expect(el.querySelector('.gcs-tasks')?.textContent).toContain('the folder is gone');
  });

  it('is asked of nobody when the kernel is gone', () => {
    const { slider, model } = show([RUNNING, RUNNING]);
    press(slider, 'Enter');
    answerCell(model, 0, [task(1)]);
    model.emit('msg:custom', { kind: 'output', task: 1, version: 'v1', text: '' });
    const before = model.sent.length;
    model.emit('comm_live_update');
    press(slider, 'ArrowRight', 'Enter');
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(before);
  });
});

describe('a view', () => {
  it('leaves no listener and no timer behind', () => {
    const { close, model, slider } = show([RUNNING]);
    press(slider, 'Enter');
    answerCell(model, 0, [task(1)]);
    const before = model.listening();
    close();
    expect(model.listening()).toBe(before - 5);
    expect(vi.getTimerCount()).toBe(0);
  });
});
