import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import platform from '../schema/platform.json';
import { CommandIDs } from '../src/lab/commands';
import { EndedGather, wanted } from '../src/lab/platform/ended_gather';
import { noticeOf } from '../src/lab/platform/ended_text';
import { type IKnown, statusText } from '../src/lab/platform/status_text';
import type { IConnectionState } from '../src/lab/tokens';
import type { IEnded, IPanel, IPanelJob } from '../src/protocol/panel_messages';
import type { IClusterInfo } from '../src/protocol/rest';

const trans = nullTranslator.load('gcs_lab');
const connected: IConnectionState = { status: 'connected', text: '', about: null };

function known(different: Partial<IKnown>): IKnown {
  return { panel: null, problem: null, connection: connected, current: 'embedded', clusters: [], ...different };
}

function job(different: Partial<IPanelJob>): IPanelJob {
  return {
    job_id: '7', name: 'fit', kind: 'cell', state: 'DONE', letters: '', submitted: 1, started: 2, ended: 3, queue: 'all.q',
    slots: 1, tasks: null, progress: null, reason: '', outcome: 'done in 3 min', notebook: '', cell: '',
    execution_count: 0, actions: [], ...different
  };
}

function ended(jobs: IPanelJob[], different: Partial<IEnded> = {}): IEnded {
  const failed = jobs.filter(one => one.state === 'FAILED').length;
  return { kind: 'ended', jobs, more: 0, failed, done: jobs.length - failed, ...different };
}

function panel(mine: Partial<IPanel['mine']>, health: Partial<IPanel['health']> = {}): IPanel {
  return {
    kind: 'panel', whole: true, cluster: 'embedded', system: 'embedded', user: 'me', time: 1, now: 1, stale_since: 0,
    health: { level: 'good', text: '2 of 4 slots free', help: '', ...health }, slots: { used: 2, free: 2, closed: 0, total: 4 },
    mine: { running: 0, suspended: 0, pending: 0, held: 0, error: 0, ...mine }, live: [], recent: [], more: 0, jobs: {}
  };
}

describe('status bar', () => {
  it('counts what there is by glyph, and says it in words', () => {
    const told = statusText(known({ panel: panel({ running: 3, pending: 1204 }) }), trans);
    expect(told.parts).toEqual(['▶ 3', '◷ 1,204']);
    expect(told.title).toContain('embedded: 2 of 4 slots free');
    expect(told.title).toContain('3 running, 1204 waiting');
    expect(told.level).toBe('good');
  });

  it('says that there are none', () => {
    expect(statusText(known({ panel: panel({}) }), trans).parts).toEqual(['no jobs']);
  });

  it('keeps the counts in sight while the line is broken', () => {
    const lost: IConnectionState = { status: 'lost', text: 'No answer since 12:04.', about: null };
    const told = statusText(known({ panel: panel({ running: 3 }), connection: lost }), trans);
    expect(told).toEqual({ level: 'bad', parts: ['no connection', '▶ 3'], title: 'No answer since 12:04.' });
  });

  it('tells a half-installed extension and a missing cluster apart', () => {
    const missing: IConnectionState = { status: 'missing', text: 'jupyter server extension enable gcs_lab', about: null };
    expect(statusText(known({ connection: missing, current: '' }), trans).title).toContain('enable gcs_lab');
    expect(statusText(known({ current: '' }), trans).parts).toEqual(['no cluster']);
  });
});

describe('a cluster that cannot be asked', () => {
  it('is told with the reason, and one that is stopped as such', () => {
    const problem = { type: 'DrmCommunication', message: 'qmaster does not answer' };
    expect(statusText(known({ problem }), trans)).toMatchObject({ level: 'bad', title: 'embedded: qmaster does not answer' });
    const stopped: IClusterInfo = {
      name: 'embedded', why: '', backend: 'embedded', state: 'stopped', text: '', chosen: true, startable: true
    };
    expect(statusText(known({ clusters: [stopped] }), trans)).toMatchObject({ level: 'off', parts: ['embedded stopped'] });
    // The panel is refused of course.
    expect(statusText(known({ clusters: [stopped], problem }), trans).parts).toEqual(['embedded stopped']);
  });
});

describe('jobs that ended', () => {
  it('are told at once, and what follows in one', () => {
    vi.useFakeTimers();
    const told: IEnded[] = [];
    const gather = new EndedGather(one => { told.push(one); }, 1000);
    for (const id of ['1', '2', '3', '3']) {
      gather.add(ended([job({ job_id: id })]));
    }
    expect(told.map(one => one.jobs.map(each => each.job_id))).toEqual([['1']]);
    vi.advanceTimersByTime(1000);
    expect(told.map(one => one.jobs.map(each => each.job_id))).toEqual([['1'], ['2', '3']]);
    vi.advanceTimersByTime(1000);
    gather.add(ended([job({ job_id: '4' })]));
    expect(told).toHaveLength(3);
    gather.dispose();
    vi.useRealTimers();
  });

  it('are named up to five; the rest is counted', () => {
    vi.useFakeTimers();
    const told: IEnded[] = [];
    const gather = new EndedGather(one => { told.push(one); }, 1000);
    for (let id = 0; id < 9; id += 1) {
      gather.add(ended([job({ job_id: String(id), state: id === 3 ? 'FAILED' : 'DONE' })]));
    }
    vi.advanceTimersByTime(1000);
    expect(told[1]).toMatchObject({ more: 3, failed: 1, done: 7 });
    expect(told[1]?.jobs).toHaveLength(5);
    gather.dispose();
    vi.useRealTimers();
  });

  it('are told as a person chose, and not of the tab in front', () => {
    const both = ended([job({ job_id: '1' }), job({ job_id: '2', state: 'FAILED' })]);
    expect(wanted(both, 'none', () => false)).toBeNull();
    expect(wanted(both, 'failures', () => false)).toMatchObject({ failed: 1, done: 0, jobs: [{ job_id: '2' }] });
    expect(wanted(both, 'all', one => one.job_id === '2')).toMatchObject({ failed: 0, done: 1, jobs: [{ job_id: '1' }] });
    expect(wanted(ended([job({})]), 'all', () => true)).toBeNull();
    expect(wanted(ended([job({})]), 'failures', () => false)).toBeNull();
    expect(wanted(ended([job({})], { more: 6, failed: 2, done: 5 }), 'failures', () => false)).toMatchObject({ more: 2, jobs: [] });
  });

  it('have a text of their own for one, a sweep, and several', () => {
    expect(noticeOf(ended([job({})]), trans)).toMatchObject({ text: 'fit (7): done in 3 min', type: 'success' });
    const failed = job({ state: 'FAILED', outcome: 'ValueError: x is 0' });
    expect(noticeOf(ended([failed]), trans)).toMatchObject({ text: 'fit (7): ValueError: x is 0', type: 'error' });
    const tasks = { running: 0, pending: 0, held: 0, suspended: 0, error: 0, done: 37, failed: 3, total: 40 };
    const sweep = job({ kind: 'sweep', state: 'FAILED', outcome: '3 of 40 failed', tasks });
    expect(noticeOf(ended([sweep]), trans)).toMatchObject({ text: 'fit (7): 3 of 40 failed', type: 'warning' });
    const several = noticeOf(ended([job({}), job({ job_id: '8', name: 'train', state: 'FAILED' })], { more: 5, done: 6 }), trans);
    expect(several).toMatchObject({ text: '7 jobs ended: 6 done, 1 failed (fit, train, …)', type: 'warning', job: null });
  });
});

describe('settings schema', () => {
  const shortcuts = platform['jupyter.lab.shortcuts'];

  it('has shortcuts for commands that there are, each with keys of its own', () => {
    const commands: string[] = Object.values(CommandIDs);
    expect(shortcuts.map(one => one.command).filter(command => !commands.includes(command))).toEqual([]);
    expect(new Set(shortcuts.map(one => one.keys.join(' '))).size).toBe(shortcuts.length);
  });
});
