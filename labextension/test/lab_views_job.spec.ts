import { nullTranslator } from '@jupyterlab/translation';
import { signal } from '@preact/signals';
import { render } from 'preact';
import { jsx } from 'preact/jsx-runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ClusterError, type IClusterManager, type IFaceChannel } from '../src/lab/tokens';
import { JobPage, raisesError } from '../src/lab/views/job_page';
import { requestsOf } from '../src/lab/views/rerun';
import { argsOf, type IViewArgs, jsonOf, nameOf } from '../src/lab/views/view_args';
import type { IViewContext } from '../src/lab/views/view_context';
import { runsOf } from '../src/lab/views/tasks_tab';
import type { IProblem } from '../src/protocol/envelope';
import type { ClientMessage, HostMessage } from '../src/protocol/messages';
import type { IJobFacts } from '../src/protocol/rest';
import { FakeCockpitHost, makeDetails, makeOverview, makeWelcome } from './fake_cockpit_host';
import { find, settle } from './show_cockpit';

const areas: { trusted: boolean; outputs: unknown[] }[] = [];

// JupyterLab's own modules are the page's: what is drawn there is seen in a browser.
vi.mock('@jupyterlab/outputarea', () => {
  class OutputAreaModel {
    outputs: unknown[] = [];
    trusted: boolean;
    constructor(options: { trusted: boolean }) {
      this.trusted = options.trusted;
      areas.push(this);
    }
    fromJSON(outputs: unknown[]): void { this.outputs = outputs; }
    dispose(): void { this.outputs = []; }
  }
  class SimplifiedOutputArea {
    readonly node = document.createElement('div');
    processMessage(): void { this.node.className = 'drawn'; }
    dispose(): void { this.node.remove(); }
  }
  return { OutputAreaModel, SimplifiedOutputArea, OutputArea: { defaultContentFactory: {} } };
});
const answers = vi.hoisted(() => ({ text: null as string | null }));
vi.mock('@jupyterlab/apputils', () => ({
  InputDialog: { getText: () => Promise.resolve({ button: { accept: answers.text !== null }, value: answers.text }) },
  showDialog: () => Promise.resolve(), Dialog: { okButton: () => ({}) }
}));

function makeFacts(different: Partial<IJobFacts> = {}): IJobFacts {
  return {
    job_id: '17', cluster: 'demo', name: 'fit', kind: 'cell', state: 'RUNNING', letters: 'r', notebook: 'work/fit.ipynb', cell: 'c1',
    execution_count: 3, source: 'train()', folder: '/home/ann/jobs/fit', submitted: 1, started: 2, ended: null, exit_status: null,
    outcome: '', streams: [{ stream: 'output', bytes: 100 }], tasks: 0, attach: '%gcs attach 17', ...different
  };
}

class Channel extends FakeCockpitHost implements IFaceChannel<ClientMessage, HostMessage> {
  readonly problem = signal<IProblem | null>(null);
  readonly retry = vi.fn();
  readonly dispose = vi.fn();
}

let ends: (() => void)[] = [];

/** A Job tab over a server that answers from a table, by the end of the path. */
async function open(answer: Record<string, unknown>, args: Partial<IViewArgs> = {}) {
  const channel = new Channel();
  const asked: [string, string, unknown][] = [];
  const manager = {
    open: () => channel,
    clusters: signal([]),
    current: signal('demo'),
    panel: { job: () => null },
    ask: (method: string, path: string, options: { query?: unknown; body?: unknown } = {}) => {
      asked.push([method, path, options.query ?? options.body]);
      const told = answer[path.replace(/^clusters\/demo\/jobs\/17\/?/, '')];
      return told instanceof Error ? Promise.reject(told) : Promise.resolve(told);
    }
  } as unknown as IClusterManager;
  const shown = signal<IViewArgs>({ cluster: 'demo', job_id: '17', ...args });
  const setTitle = vi.fn();
  const execute = vi.fn(() => Promise.resolve());
  const view: IViewContext = {
    kind: 'job', manager, commands: { hasCommand: () => true, execute } as never, rendermime: {} as never,
    trans: nullTranslator.load('gcs_lab'), args: shown, asked: signal(0),
    keep: different => { shown.value = { ...shown.peek(), ...different }; }, use: () => undefined, setTitle
  };
  const node = document.createElement('div');
  document.body.append(node);
  render(jsx(JobPage, { view }), node);
  ends.push(() => { render(null, node); });
  channel.tell(makeWelcome(), makeOverview());
  await settle(200);
  const tell = async (different: Parameters<typeof makeDetails>[0]) => {
    channel.tell(makeDetails({ id: channel.last('details').id, ...different }));
    await settle(200);
  };
  return { node, channel, asked, tell, setTitle, execute, shown };
}

const LOG = { stream: 'output', task: null, first: 0, lines: ['one', 'two'], total: 2, live: true, note: '' };
const ASKED = { '': makeFacts(), log: LOG, outputs: { outputs: [{ output_type: 'display_data' }], version: 1, note: '' } };

function unknownJob(): ClusterError {
  return new ClusterError({ message: "no job is called '17'", type: 'UnknownName' }, 404);
}

describe('a job in a tab', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-11-21T12:00:00Z') });
    localStorage.clear();
    areas.length = 0;
  });
  afterEach(async () => {
    ends.forEach(end => { end(); });
    // Effects end after the next frame: with the clock of this test, or no later one would have any.
    await settle(200);
    ends = [];
    document.body.replaceChildren();
    vi.useRealTimers();
  });

  it('shows a running job with its log, says so in its title, and takes its leave', async () => {
    const { node, channel, tell, setTitle, asked } = await open(ASKED);
    await tell({});
    expect(find(node, 'h2').textContent).toBe('fit');
    expect(find(node, '[role=tab][aria-selected=true]').textContent).toBe('Log');
    expect(setTitle.mock.calls.at(-1)?.[0]).toMatch(/fit 17$/);
    expect(asked.some(([, path]) => path.endsWith('/log'))).toBe(true);
    expect(node.textContent).toContain('2 lines, it may grow');
    ends.forEach(end => { end(); });
    ends = [];
    expect(channel.dispose).toHaveBeenCalledTimes(1);
    const before = asked.length;
    await settle(60_000);
    expect(asked).toHaveLength(before);
  });

  it('says first why a job waits', async () => {
    const { node, tell } = await open({ ...ASKED, '': makeFacts({ state: 'QUEUED', started: null }) });
    await tell({ state: 'QUEUED', letters: 'qw', reasons: ['no slot is free'] });
    expect(find(node, '[role=tab][aria-selected=true]').textContent).toBe('Facts');
    expect(find(node, '.gcs-why').textContent).toContain('no slot is free');
  });

  it('stays readable when the queue has forgotten the job, and asks for nothing more', async () => {
    const facts = makeFacts({ state: 'FAILED', ended: 9, exit_status: 1, outcome: 'ValueError: x is 0' });
    const { node, tell, asked } = await open({ ...ASKED, '': facts, log: { ...LOG, live: false } });
    await tell({ gone: true, name: '', owner: '', letters: '', state: 'UNDETERMINED', actions: [] });
    await settle(3000);
    expect(find(node, '.gcs-pill').textContent).toBe('failed');
    expect(node.textContent).toContain('ValueError: x is 0');
    find(node, '[role=tab]', 'Facts').click();
    await settle(200);
    expect(find(node, '.gcs-source').textContent).toBe('train()');
    const before = asked.length;
    await settle(60_000);
    expect(asked).toHaveLength(before);
  });

  it('says that nobody knows the job, and asks again', async () => {
    const { node, tell, channel } = await open({ '': unknownJob() });
    await tell({ gone: true, name: '', state: 'UNDETERMINED' });
    await settle(3000);
    expect(find(node, '[role=alert] h2').textContent).toBe('Job 17 cannot be shown');
    expect(find(node, '[role=alert]').textContent).toContain("no job is called '17'");
    find(node, 'button', 'Retry').click();
    expect(channel.retry).toHaveBeenCalledTimes(1);
  });

  it('shows the problem of the cluster where nothing else is known', async () => {
    const { node, channel } = await open({ '': unknownJob() });
    channel.problem.value = { message: 'qmaster does not answer', type: 'DrmCommunication' };
    await settle(200);
    expect(find(node, '[role=alert]').textContent).toContain('qmaster does not answer');
  });

  it('asks before it acts', async () => {
    const { node, tell, channel } = await open(ASKED);
    await tell({});
    find(node, 'button', 'Cancel').click();
    await settle(200);
    expect(channel.said('act')).toHaveLength(0);
    expect(channel.last('plan')).toMatchObject({ action: 'cancel', targets: [{ job_id: '17', task: null }] });
    expect(node.querySelector('dialog')).not.toBeNull();
  });

  it('shows displays as those of a notebook that is not trusted', async () => {
    const { node, tell } = await open(ASKED);
    await tell({});
    find(node, '[role=tab]', 'Displays').click();
    await settle(200);
    expect(areas.at(-1)).toMatchObject({ trusted: false, outputs: [{ output_type: 'display_data' }] });
    expect(node.querySelector('.jp-gcs-lab-outputs-place > .drawn')).not.toBeNull();
  });

  it('shows the tasks of a sweep, and one of them with its own log', async () => {
    const tasks = { columns: ['task', 'x', 'state'], rows: [[1, 0, 'DONE'], [2, 5, 'FAILED']], total: 2 };
    const { node, tell, asked, shown, channel } = await open({ ...ASKED, tasks, '': makeFacts({ kind: 'sweep', tasks: 2 }) });
    await tell({ array: true });
    expect(find(node, '[role=tab][aria-selected=true]').textContent).toBe('Tasks');
    find(node, 'table button', '2').click();
    await settle(200);
    expect(shown.value).toMatchObject({ task: 2, job_tab: 'log' });
    expect(channel.last('details')).toMatchObject({ job_id: '17', task: 2 });
    expect(asked.filter(([, path]) => path.endsWith('/log')).at(-1)?.[2]).toMatchObject({ task: 2 });
  });

  it('runs what failed again with what was asked for', async () => {
    answers.text = 'h_vmem=4G';
    const { node, tell, asked } = await open({
      ...ASKED, '': makeFacts({ kind: 'sweep', tasks: 2 }), tasks: { columns: [], rows: [], total: 0 }, rerun: { job_id: '18', tasks: 1, text: 'Job 18.' }
    });
    await tell({ array: true });
    find(node, 'button', 'Rerun failed').click();
    await settle(200);
    expect(asked.find(([method]) => method === 'POST')?.[2]).toEqual({ failed: true, requests: { h_vmem: '4G' } });
    // It is the same sweep: its own tab shows what runs again.
    const paths = asked.map(([, path]) => path);
    expect(paths.lastIndexOf('clusters/demo/jobs/17/tasks')).toBeGreaterThan(paths.indexOf('clusters/demo/jobs/17/rerun'));
    expect(node.textContent).toContain('Job 18.');
  });

  it('shows first the traceback of a cell that raised an error', async () => {
    const failed = makeFacts({ state: 'FAILED', ended: 3, outcome: 'ValueError: no' });
    const { node } = await open({ ...ASKED, '': failed });
    expect(find(node, '[role=tab][aria-selected=true]').textContent).toBe('Displays and error');
    expect([raisesError(failed), raisesError({ ...failed, outcome: 'killed: it used more memory than h_vmem' }), raisesError({ ...failed, kind: 'script' }), raisesError(null)])
      .toEqual([true, false, false, false]);
  });

  it('searches the whole log, and goes to the next match', async () => {
    const { node, tell, asked } = await open({ ...ASKED, 'log/matches': { matches: [{ line: 0, text: 'one' }, { line: 1, text: 'two' }], total: 2, more: false } });
    await tell({});
    const box = find(node, 'input[type=search]') as HTMLInputElement;
    box.value = 'o';
    box.dispatchEvent(new Event('input', { bubbles: true }));
    await settle(800);
    expect(asked.find(([, path]) => path.endsWith('/matches'))?.[2]).toMatchObject({ stream: 'output', text: 'o' });
    expect(find(node, '[role=search]').textContent).toContain('1 of 2');
    find(node, 'button[aria-label="Next match"]').click();
    await settle(200);
    expect(find(node, '[role=search]').textContent).toContain('2 of 2');
  });
});

describe('what a tab shows', () => {
  it('comes back from the layout, whatever that has', () => {
    const args: IViewArgs = { cluster: 'demo', tab: 'hosts', filter: 'owner:alice', mine: true };
    expect(argsOf(jsonOf(args))).toEqual(args);
    expect(argsOf({ cluster: 7, tab: 'nonsense', task: 1.5, job_id: 12, job_tab: 'log' })).toEqual({ cluster: '', job_id: '12', job_tab: 'log' });
    expect(nameOf('job', { cluster: 'demo', job_id: '7' })).not.toBe(nameOf('job', { cluster: 'other', job_id: '7' }));
  });

  it('is a strip of the rows that are known, if all of them are', () => {
    const told = { columns: ['task', 'state'], rows: [[1, 'DONE'], [2, 'DONE'], [3, 'FAILED'], [5, 'FAILED']], total: 4 };
    expect(runsOf(told, '', 0)).toEqual([['DONE', 2, 1], ['FAILED', 1, 3], ['FAILED', 1, 5]]);
    expect(runsOf({ ...told, total: 9 }, '', 0)).toEqual([]);
    expect(runsOf(told, 'FAILED', 0)).toEqual([]);
  });

  it('asks for requests as they are written for qsub', () => {
    expect(requestsOf(' h_vmem=4G, h_rt=1:00:00 ')).toEqual({ h_vmem: '4G', h_rt: '1:00:00' });
    expect(requestsOf('')).toEqual({});
    expect(requestsOf('h_vmem 4G')).toBe('h_vmem 4G');
  });
});
