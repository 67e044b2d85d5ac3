// A cluster manager without a server, and a panel over it, for tests and for looking at.
import { signal } from '@preact/signals';
import { Signal } from '@lumino/signaling';

import type { IPanelPlatform } from '../src/lab/panel/platform';
import { mountPanel } from '../src/lab/panel/view';
import type { IConnectionState, IPanelModel } from '../src/lab/tokens';
import type { IProblem } from '../src/protocol/envelope';
import type { IPanel, IPanelJob, IPanelTasks } from '../src/protocol/panel_messages';
import type { IClusterInfo } from '../src/protocol/rest';

export const NOW = Date.parse('2026-11-21T12:00:00Z') / 1000;

export function makePanelJob(different: Partial<IPanelJob> = {}): IPanelJob {
  return {
    job_id: '17', name: 'fit', kind: 'cell', state: 'RUNNING', letters: 'r', submitted: NOW - 800, started: NOW - 750, ended: null,
    queue: 'all.q', slots: 1, tasks: null, progress: null, reason: '', outcome: '', notebook: 'work/fit.ipynb', cell: 'c1',
    execution_count: 3, actions: ['cancel', 'suspend'], ...different
  };
}

export function makeTasks(different: Partial<IPanelTasks> = {}): IPanelTasks {
  return { running: 8, pending: 16, held: 0, suspended: 0, error: 0, done: 12, failed: 2, total: 40, ...different };
}

/** Keys are the jobs' ids. */
export function makePanel(live: IPanelJob[] = [], recent: IPanelJob[] = [], different: Partial<IPanel> = {}): IPanel {
  const count = (states: string[]) => live.filter(({ state }) => states.includes(state)).length;
  return {
    kind: 'panel', whole: true, cluster: 'sge', system: 'Grid Engine 8.1.9', user: 'alice', time: NOW - 1, now: NOW, stale_since: 0,
    health: { level: 'good', text: '12 of 64 slots free', help: '6 hosts up, none down.' },
    slots: { used: 50, free: 12, closed: 2, total: 64 },
    mine: { running: count(['RUNNING']), suspended: count(['SUSPENDED']), pending: count(['QUEUED']), held: count(['QUEUED_HELD']), error: count(['ERROR']) },
    live: live.map(job => job.job_id), recent: recent.map(job => job.job_id), more: 0,
    jobs: Object.fromEntries([...live, ...recent].map(job => [job.job_id, job])), ...different
  };
}

export function makeCluster(different: Partial<IClusterInfo> = {}): IClusterInfo {
  return { name: 'sge', why: 'SGE_ROOT is set', backend: 'gridengine', state: 'running', text: '', chosen: true, startable: false, ...different };
}

/** What was asked of it is in `calls`, in words. */
export class FakeManager {
  readonly calls: string[] = [];
  readonly connection = signal<IConnectionState>({ status: 'connected', text: '', about: null });
  readonly clusters = signal<readonly IClusterInfo[]>([makeCluster()]);
  readonly current = signal('sge');
  readonly state = signal<IPanel | null>(null);
  readonly problem = signal<IProblem | null>(null);
  /** What the next question is answered; an Error is thrown. */
  refusal: Error | null = null;
  readonly panel: IPanelModel;

  constructor() {
    this.panel = {
      state: this.state,
      cells: signal({}),
      problem: this.problem,
      stateChanged: new Signal<IPanelModel, void>({} as IPanelModel),
      ended: new Signal<IPanelModel, never>({} as IPanelModel),
      job: jobId => Object.values(this.state.value?.jobs ?? {}).find(job => job.job_id === jobId) ?? null,
      act: async (action, jobId) => { await this.note(`act ${action} ${jobId}`); return `${action}: done`; },
      watch: () => ({ dispose: () => undefined }),
      refresh: () => { void this.note('refresh'); },
      shown: () => undefined
    };
  }

  use(cluster: string): void {
    void this.note(`use ${cluster}`);
    this.current.value = cluster;
  }

  async refreshClusters(): Promise<readonly IClusterInfo[]> {
    await this.note('refreshClusters');
    return this.clusters.value;
  }

  async startCluster(name: string): Promise<void> {
    await this.note(`start ${name}`);
  }

  async ask<T>(method: string, path: string): Promise<T> {
    await this.note(`${method} ${path}`);
    return undefined as T;
  }

  private async note(call: string): Promise<void> {
    this.calls.push(call);
    await Promise.resolve();
    if (this.refusal !== null) {
      throw this.refusal;
    }
  }
}

type Trans = IPanelPlatform['trans'];

/** As JupyterLab's own in English: "%1" is the first of what follows. */
export const trans = {
  __: (text: string, ...args: unknown[]) => text.replace(/%(\d)/g, (_, at: string) => String(args[Number(at) - 1])),
  _n: (one: string, many: string, count: number, ...args: unknown[]) => trans.__(count === 1 ? one : many, count, ...args)
} as Trans;

const SVG = '<svg viewBox="0 0 16 16"><g class="jp-icon3" fill="#616161"><path d="M2 3h12v2H2ZM2 7h8v2H2ZM2 11h5v2H2Z"/></g></svg>';

export function showPanel(manager = new FakeManager(), different: Partial<IPanelPlatform> = {}) {
  const did: string[] = [];
  const node = document.createElement('div');
  document.body.append(node);
  const view = mountPanel(node, {
    manager,
    trans,
    icons: { queue: SVG, hosts: SVG, accounting: SVG },
    show: place => { did.push(`show ${place}`); },
    perform: (deed, jobId) => { did.push(`${deed} ${jobId}`); return Promise.resolve(); },
    confirmStop: () => Promise.resolve(true),
    drag: job => { did.push(`drag ${job.job_id}`); },
    ...different
  });
  return { manager, node, view, did };
}
