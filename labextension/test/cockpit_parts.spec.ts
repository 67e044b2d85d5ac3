import { describe, expect, it } from 'vitest';

import { figureOf, inWords } from '../src/cockpit/chart_figure';
import { duration, measure } from '../src/face/clock';
import { KEPT_CHARACTERS, LogBuffer } from '../src/cockpit/log_buffer';
import { ranked, ramp } from '../src/face/colours';
import { shareOf } from '../src/cockpit/map_colours';
import { merged, ordered, wordsOfHost } from '../src/cockpit/map_hosts';
import { boxOf, layoutMap, moveOnMap, tileAt } from '../src/cockpit/map_layout';
import { targetsOf, wordsFor } from '../src/cockpit/jobs_panel';
import { chosen } from '../src/cockpit/targets';
import { cellsOf, stepOf } from '../src/cockpit/task_cells';
import type { IChart, ILog } from '../src/protocol/messages';
import { keyOf, makeHost } from './fake_cockpit_host';

describe('the map', () => {
  it.each([1, 3, 60, 500, 5000])('finds each of %i tiles where it is drawn', count => {
    const layout = layoutMap(count, 1240, 400);
    expect(layout.width).toBeLessThanOrEqual(1240);
    for (let tile = 0; tile < count; tile += Math.ceil(count / 50)) {
      const [left, top, width, height] = boxOf(layout, tile);
      expect(tileAt(layout, left + width / 2, top + height / 2)).toBe(tile);
    }
  });

  it('has names where there is room, and fits 500 hosts into its height', () => {
    expect(layoutMap(20, 1240, 400).named).toBe(true);
    const many = layoutMap(500, 1240, 400);
    expect(many.named).toBe(false);
    expect(many.height).toBeLessThanOrEqual(400);
  });

  it('is walked by the arrow keys without leaving it', () => {
    const layout = layoutMap(500, 1240, 400);
    expect(moveOnMap(layout, 0, 'ArrowUp')).toBe(0);
    expect(moveOnMap(layout, 0, 'ArrowDown')).toBe(layout.columns);
    expect(moveOnMap(layout, 499, 'ArrowRight')).toBe(499);
    expect(moveOnMap(layout, 3, 'x')).toBeUndefined();
  });

  it('takes in those that changed, and forgets those that are gone when all are told', () => {
    const all = merged(new Map(), { kind: 'map', all: true, owners: [], hosts: [makeHost('node10'), makeHost('node2')] });
    const changed = merged(all, { kind: 'map', all: false, owners: [], hosts: [makeHost('node2', { used: 8 })] });
    expect(ordered(changed).map(host => [host.host, host.used])).toEqual([['node2', 8], ['node10', 4]]);
    expect([...merged(changed, { kind: 'map', all: true, owners: [], hosts: [makeHost('node3')] }).keys()]).toEqual(['node3']);
  });

  it('says what a tile is, with what is not known said so', () => {
    const words = wordsOfHost(makeHost('node1', { load: null, state: 'au', matches: false }), ['alice', 'bob']);
    expect(words).toBe('node1, 4 of 8 slots used, load not known, closed (au), alice 3, bob 1, outside the filter');
    expect(shareOf(makeHost('node1', { load: null }), 'load')).toBeUndefined();
  });

  it('has scales that grow in darkness on a light page, in brightness on a dark one', () => {
    const light = (colour: string) => (colour.match(/\d+/g) ?? []).map(Number).reduce((sum, channel) => sum + channel, 0);
    const shares = [0, 0.25, 0.5, 0.75, 1];
    for (const scale of ['use', 'load'] as const) {
      const onLight = shares.map(share => light(ramp(scale, share, false)));
      const onDark = shares.map(share => light(ramp(scale, share, true)));
      expect(onLight).toEqual([...onLight].sort((one, other) => other - one));
      expect(onDark).toEqual([...onDark].sort((one, other) => one - other));
    }
  });

  it('lets an owner keep his colour while others come and go', () => {
    const first = ranked(new Map([['alice', 9], ['bob', 5]]), []);
    expect(first).toEqual(['alice', 'bob']);
    expect(ranked(new Map([['bob', 9], ['carol', 5]]), first)).toEqual(['carol', 'bob']);
  });
});

describe('the tasks of an array', () => {
  it('are a cell each while they are few', () => {
    const cells = cellsOf([['', 2, 1], ['RUNNING', 1, 3]]);
    expect(cells.map(cell => [cell.state, cell.task])).toEqual([['', 1], ['', 2], ['RUNNING', 3]]);
  });

  it('keep the steps of their indices', () => {
    expect(stepOf([['', 2, 1], ['RUNNING', 3, 11]])).toBe(5);
    expect(cellsOf([['', 2, 1], ['RUNNING', 2, 11]]).map(cell => cell.task)).toEqual([1, 6, 11, 16]);
  });

  it('share cells when they are many, and none is lost; the worst state is seen', () => {
    const cells = cellsOf([['', 60_000, 1], ['ERROR', 1, 60_001], ['QUEUED', 39_999, 60_002]]);
    expect(cells).toHaveLength(2000);
    const counted = cells.flatMap(cell => Object.values(cell.counts)).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(100_000);
    const broken = cells.find(cell => cell.state === 'ERROR');
    expect(broken?.task).toBe(60_001);
    expect(broken?.last).toBeGreaterThan(60_001);
  });
});

describe('a log', () => {
  const log = (text: string, different: Partial<ILog> = {}): ILog => ({
    kind: 'log', id: 1, job_id: '17', task: null, stream: 'stdout', text, offset: 0, whole: false, note: '', ...different
  });

  it('is appended to, and begins anew when it was replaced', () => {
    const buffer = new LogBuffer();
    expect(buffer.take(log('one\n', { whole: true, offset: 4 }))).toBeUndefined();
    expect(buffer.take(log('two\n', { offset: 8 }))).toBe('two\n');
    expect([buffer.text, buffer.offset]).toEqual(['one\ntwo\n', 8]);
    expect(buffer.take(log('new\n', { whole: true, offset: 4 }))).toBeUndefined();
    expect([buffer.text, buffer.offset]).toEqual(['new\n', 4]);
  });

  it('keeps its end only, from a whole line on', () => {
    const buffer = new LogBuffer();
    const lines = Array.from({ length: 10_000 }, (_, line) => `line ${line}\n`).join('');
    expect(buffer.take(log(lines, { offset: lines.length }))).toBeUndefined();
    expect(buffer.text.length).toBeLessThanOrEqual(KEPT_CHARACTERS);
    expect(buffer.text).toMatch(/^line \d+\n/);
    expect(buffer.text.endsWith('line 9999\n')).toBe(true);
    expect([buffer.cut, buffer.offset]).toEqual([true, lines.length]);
  });
});

describe('what is selected', () => {
  const row = (key: string, cells: Record<string, string | number | number[]>) => ({ key, level: 1, cells });

  it('is read out of the keys where the rows are not at hand', () => {
    expect(chosen(keyOf(4711), undefined).target).toEqual({ job_id: '4711', task: null });
    expect(chosen(keyOf(4711, 3), undefined).target).toEqual({ job_id: '4711', task: 3 });
    expect(chosen(keyOf(4711, 2 ** 31 + 1), undefined)).toMatchObject({ target: { job_id: '4711', task: null }, together: true });
  });

  it('has the id that the row tells: not all ids are numbers', () => {
    expect(chosen(keyOf(2 ** 31 + 5), row('', { job_id: 'x-17', owner: 'bob' }))).toMatchObject({ target: { job_id: 'x-17' }, owner: 'bob' });
  });

  it('is counted in jobs and tasks; a task of a job that is selected whole counts once', () => {
    const whole = chosen(keyOf(1), row('', { job_id: '1', tasks: [3, 0, 1200, 0, 1] }));
    const single = chosen(keyOf(2), row('', { job_id: '2', tasks: [1, 0, 0, 0, 0] }));
    const task = chosen(keyOf(1, 5), undefined);
    expect(wordsFor([whole, single, task])).toBe('2 jobs, 1,205 tasks');
    expect(wordsFor([single])).toBe('1 job');
    expect(targetsOf([whole, single, task])).toEqual([{ job_id: '1', task: null }, { job_id: '2', task: null }]);
  });
});

describe('figures', () => {
  it('are said as people say them', () => {
    expect([3, 59.4, 60, 3599, 3600, 7500, 90_000].map(duration)).toEqual(['3 s', '59 s', '1 min', '59 min', '1 h', '2 h 5 min', '1 d 1 h']);
    expect([measure(3661, 'seconds'), measure(2 ** 31, 'bytes'), measure(1204, 'count')]).toEqual(['1:01:01', '2.0 GiB', '1,204']);
  });

  it('of a chart show an owner in his colour, and are told in words', () => {
    const y = { dtype: 'i2', bdata: btoa(String.fromCharCode(...new Uint8Array(new Int16Array([3, 4, 5]).buffer))) };
    const chart: IChart = {
      kind: 'chart', name: 'owners', terms: { bob: 'owner:bob' },
      figure: { data: [{ type: 'scatter', name: 'bob', y, line: { width: 1 } }, { type: 'scatter', name: 'other', y: [1, 2] }], layout: {} }
    };
    const [bob, other] = figureOf(chart, ['alice', 'bob'], false).data as { line?: { color?: string; width?: number } }[];
    expect(bob?.line).toEqual({ width: 1, color: '#ee6677' });
    expect(other?.line).toBeUndefined();
    expect(inWords(chart)).toBe('at last bob 5, other 2');
  });
});
