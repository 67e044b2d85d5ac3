// A manager without a server, for tests of forms and badges: REST answers are given by the test.
import { signal } from '@preact/signals';
import { vi } from 'vitest';

import type { IPanel } from '../src/protocol/panel_messages';
import type { ICatalogue, IClusterInfo, IJobForm, IPlanRequest } from '../src/protocol/rest';
import { ClusterError, type IClusterManager } from '../src/lab/tokens';

export const CATALOGUE: ICatalogue = {
  cluster: 'demo',
  queues: [{ name: 'all.q', slots_free: 12, slots_total: 64, state: '' }],
  parallel_environments: [{ name: 'smp', slots: 8 }],
  complexes: [
    ['h_rt', 'h_rt', 'TIME'], ['h_vmem', 'h_vmem', 'MEMORY'], ['gpu', 'g', 'INT'], ['exclusive', 'excl', 'BOOL'], ['arch', 'a', 'RESTRING']
  ].map(([name = '', shortcut = '', type = '']) => ({ name, shortcut, type, requestable: true, consumable: name === 'gpu', default: '' })),
  projects: ['physics'],
  hosts: ['node1'],
  job_categories: [],
  last: { '-l': 'h_rt=0:10:00,h_vmem=2G', '-q': 'all.q', '-pe': 'smp 4' },
  defaults: { '-N': 'preset' }
};

const CLUSTERS: IClusterInfo[] = [
  { name: 'demo', why: '', backend: 'gridengine', state: 'running', text: '', chosen: true, startable: true },
  { name: 'embedded', why: '', backend: 'embedded', state: 'stopped', text: '', chosen: false, startable: true }
];

type Answer = (method: string, path: string, options: { query?: unknown; body?: unknown }) => unknown;

/** The line that the real server would make, of the parts that tests look at. */
export function planOf(form: IJobForm): string {
  const requests = Object.entries(form.requests).map(([name, value]) => `${name}=${value}`).join(',');
  const parts = [form.name && `-N ${form.name}`, requests && `-l ${requests}`, form.more];
  return ['%%gcs', form.verb, ...parts].filter(part => part !== '').join(' ');
}

export function fakeManager(answers: Record<string, Answer> = {}) {
  const all: Record<string, Answer> = {
    catalogue: () => CATALOGUE,
    advice: () => ({ text: '', requests: [] }),
    plan: (_, __, { body }) => ({ line: planOf((body as IPlanRequest).form), problems: [], warnings: [] }),
    ...answers
  };
  const asked: { path: string; options: { query?: unknown; body?: unknown } }[] = [];
  const ask = vi.fn(async (method: string, path: string, options: { query?: unknown; body?: unknown } = {}) => {
    asked.push({ path, options });
    await Promise.resolve();
    const answer = all[path.slice(path.lastIndexOf('/') + 1)];
    if (answer === undefined) {
      throw new ClusterError({ message: `there is no ${path}`, type: 'NotFound' }, 404);
    }
    return answer(method, path, options);
  });
  const panel = { state: signal<IPanel | null>(null), cells: signal({}) };
  const manager = { clusters: signal(CLUSTERS), current: signal('demo'), panel, ask, refreshClusters: () => Promise.resolve(CLUSTERS) };
  return { manager: manager as unknown as IClusterManager, asked, to: (end: string) => asked.filter(one => one.path.endsWith(end)) };
}

export function refusal(message: string): () => never {
  return () => { throw new ClusterError({ message, type: 'DeniedByDrms' }, 403); };
}
