import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { ClusterManager } from '../src/lab/manager/manager';
import { ClusterError } from '../src/lab/tokens';
import type { IPanel, IPanelJob } from '../src/protocol/panel_messages';
import type { IClusterInfo } from '../src/protocol/rest';
import { FakeSocket } from './fake_socket';

const BASE = 'http://hub.example/user/ann/';
const ABOUT = { version: '1.0.0', python: '3.11', user: 'ann', host: 'login1', features: [] };
/** What the server would answer, by method and path; a request that is not here is answered by 404. */
let answers: Record<string, () => Response | Promise<Response>>;
let asked: string[];
let remembered: string;
let manager: ClusterManager;

function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json' } });
}

function cluster(name: string, more: Partial<IClusterInfo> = {}): IClusterInfo {
  return { name, why: '', backend: 'embedded', state: 'running', text: '', chosen: false, startable: true, ...more };
}

function makeManager(): ClusterManager {
  const settings = ServerConnection.makeSettings({
    baseUrl: BASE, wsUrl: 'ws://hub.example/user/ann/', token: 'secret', appendToken: true,
    WebSocket: FakeSocket as unknown as typeof WebSocket,
    fetch: async (request: RequestInfo | URL) => {
      const { method, url } = request as Request;
      const path = url.replace(`${BASE}gcs-lab/api/`, '').replace(/[?&]\d+$/, '');
      asked.push(`${method} ${path}`);
      return await (answers[`${method} ${path}`]?.() ?? json({ message: 'Not Found', reason: null }, 404));
    }
  });
  return new ClusterManager({
    settings, trans: nullTranslator.load('gcs_lab'), version: '1.0.0',
    recall: () => Promise.resolve(remembered), remember: name => { remembered = name; }
  });
}

beforeEach(() => {
  FakeSocket.made = [];
  asked = [];
  remembered = '';
  answers = {
    'GET about': () => json(ABOUT),
    'GET clusters': () => json([cluster('site', { chosen: true }), cluster('demo')])
  };
  manager = makeManager();
});

afterEach(() => {
  manager.dispose();
  vi.useRealTimers();
});

function job(id: string, more: Partial<IPanelJob> = {}): IPanelJob {
  return {
    job_id: id, name: `job ${id}`, kind: 'cell', state: 'RUNNING', letters: 'r', submitted: 1, started: 2, ended: null, queue: 'all.q', slots: 1,
    tasks: null, progress: null, reason: '', outcome: '', notebook: '', cell: '', execution_count: 1, actions: ['cancel'], ...more
  };
}

function panel(more: Partial<IPanel>): IPanel {
  return {
    kind: 'panel', whole: false, cluster: 'site', system: 'embedded', user: 'ann', time: 1, now: 1, stale_since: 0,
    health: { level: 'good', text: '', help: '' }, slots: { used: 0, free: 1, closed: 0, total: 1 },
    mine: { running: 0, suspended: 0, pending: 0, held: 0, error: 0 }, live: [], recent: [], more: 0, jobs: {}, ...more
  };
}

test('nothing goes over the network before the start, and then one line below the base URL, with the token', async () => {
  manager.panel.stateChanged.connect(() => undefined);
  manager.open('cockpit', { cluster: 'site' });
  await Promise.resolve();
  expect(asked).toEqual([]);
  expect(FakeSocket.made).toEqual([]);
  await manager.start();
  expect(asked.sort()).toEqual(['GET about', 'GET clusters']);
  expect(FakeSocket.made.map(socket => socket.url)).toEqual(['ws://hub.example/user/ann/gcs-lab/channels?token=secret']);
  expect(manager.connection.value).toEqual({ status: 'connected', text: '', version: '1.0.0', about: ABOUT });
});

test('the cluster that was used last is shown, or else the one that would be taken', async () => {
  await manager.start();
  expect(manager.current.value).toBe('site');
  expect(remembered).toBe('');
  manager.use('demo');
  expect(remembered).toBe('demo');
  const next = makeManager();
  const changes: string[] = [];
  next.currentChanged.connect((_, name) => { changes.push(name); });
  await next.start();
  expect([next.current.value, changes]).toEqual(['demo', ['demo']]);
  answers['GET clusters'] = () => json([cluster('site', { chosen: true })]);
  await next.refreshClusters();
  expect(next.current.value).toBe('site');
  next.dispose();
});

test('a server without the extension is told with the command that mends it, and asked again later', async () => {
  vi.useFakeTimers();
  answers = {};
  await manager.start();
  expect(manager.connection.value.status).toBe('missing');
  expect(manager.connection.value.text).toContain('jupyter server extension enable gcs_lab');
  expect(FakeSocket.last().closed).toBe(true);
  answers['GET about'] = () => json(ABOUT);
  answers['GET clusters'] = () => json([cluster('site', { chosen: true })]);
  await vi.advanceTimersByTimeAsync(61_000);
  FakeSocket.last().greet();
  await vi.advanceTimersByTimeAsync(10);
  expect(manager.connection.value.status).toBe('connected');
  expect(manager.current.value).toBe('site');
});

test('another version is told with both numbers, whoever tells it', async () => {
  answers['GET about'] = () => json({ ...ABOUT, version: '2.0.0' });
  await manager.start();
  expect(manager.connection.value.status).toBe('old');
  expect(manager.connection.value.text).toContain('version 1.0.0');
  expect(manager.connection.value.text).toContain('version 2.0.0');
  FakeSocket.last().greet({ version: '3.0.0' });
  expect(manager.connection.value.text).toContain('version 3.0.0');
  FakeSocket.last().greet({ version: '1.0.0' });
  expect(manager.connection.value.status).toBe('connected');
});

test('a server that is down is told, and comes back by itself', async () => {
  vi.useFakeTimers();
  await manager.start();
  FakeSocket.last().greet();
  const states: string[] = [];
  manager.connectionChanged.connect((_, state) => { states.push(state.status); });
  answers = { 'GET about': () => Promise.reject(new TypeError('Failed to fetch')) };
  FakeSocket.last().drop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(manager.connection.value.status).toBe('lost');
  expect(manager.connection.value.text).toContain('Failed to fetch');
  answers = { 'GET about': () => json(ABOUT), 'GET clusters': () => json([cluster('demo', { chosen: true })]) };
  FakeSocket.last().greet({ session: 's2' });
  await vi.advanceTimersByTimeAsync(10);
  expect(states).toEqual(['lost', 'connected', 'connected']);
  expect(manager.clusters.value.map(one => one.name)).toEqual(['demo']);
});

test('a proxy that lets no WebSocket through is told apart from a server that is down', async () => {
  vi.useFakeTimers();
  await manager.start();
  FakeSocket.last().drop();
  await vi.advanceTimersByTimeAsync(4500);
  expect(manager.connection.value.status).toBe('lost');
  expect(manager.connection.value.text).toContain('WebSocket');
});

test('a refusal is the words of the server, with their field and status', async () => {
  answers['POST clusters/demo/plan?dry=1'] = () => json({ message: 'no queue "al.q"; did you mean all.q?', type: 'UnknownName', field: 'queue' }, 400);
  const why = await manager.ask('POST', 'clusters/demo/plan', { query: { dry: 1, of: undefined }, body: {} }).catch((error: unknown) => error);
  expect(why).toBeInstanceOf(ClusterError);
  expect(why).toMatchObject({ status: 400, message: 'no queue "al.q"; did you mean all.q?', problem: { type: 'UnknownName', field: 'queue' } });
});

test.each([
  [() => json({ message: 'Forbidden', type: 'Forbidden' }, 403), 403, 'log in again'],
  [() => json({ message: "'_xsrf' argument missing from POST", reason: null }, 403), 403, '_xsrf'],
  [() => new Response('<html>Bad Gateway</html>', { status: 502 }), 502, 'proxy'],
  [() => new Response('<html>Log in</html>', { status: 200 }), 200, 'login page'],
  [() => Promise.reject(new TypeError('Failed to fetch')), 0, 'does not answer (Failed to fetch)'],
  [() => new Response('', { status: 404 }), 404, 'gcs-lab/api/x']
])('what is no answer of ours is told in words %#', async (answer, status, words) => {
  answers['GET x'] = answer;
  const why = await manager.ask('GET', 'x').catch((error: unknown) => error);
  expect(why).toMatchObject({ status });
  expect((why as Error).message).toContain(words);
});

test('what has not changed is null, and a question that was aborted says so', async () => {
  answers['GET same'] = () => new Response(null, { status: 304 });
  expect(await manager.ask('GET', 'same')).toBeNull();
  const abort = new AbortController();
  answers['GET slow'] = () => { abort.abort(); return Promise.reject(new DOMException('aborted', 'AbortError')); };
  await expect(manager.ask('GET', 'slow', { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
});

test('a cluster is started, shown, and asked for again where that had failed', async () => {
  vi.useFakeTimers();
  await manager.start();
  const socket = FakeSocket.last().greet();
  const view = manager.open('cockpit', { cluster: 'demo' });
  socket.tell({ op: 'failed', seq: 1, channel: 1, error: { type: 'InvalidState', message: 'demo does not run' } });
  expect(view.problem.value?.message).toBe('demo does not run');
  answers['POST clusters/demo/start'] = () => json(cluster('demo'));
  await manager.startCluster('demo');
  expect(manager.current.value).toBe('demo');
  expect(view.problem.value).toBeNull();
  expect(socket.said.at(-1)).toMatchObject({ op: 'open', face: 'cockpit', start: { cluster: 'demo' } });
  answers['POST clusters/site/start'] = () => json({ message: 'its packages are not installed', type: 'UnsupportedOperation' }, 422);
  await expect(manager.startCluster('site')).rejects.toMatchObject({ status: 422 });
  expect(manager.current.value).toBe('demo');
});

test('the panel is asked for when somebody wants it, and merges what differs', async () => {
  await manager.start();
  const socket = FakeSocket.last().greet();
  expect(socket.ops()).toEqual(['start']);
  expect(manager.panel.state.value).toBeNull();
  expect(socket.words()).toEqual([{ kind: 'hello', protocol: 1 }, { kind: 'visible', visible: true }]);
  let told = 0;
  manager.panel.stateChanged.connect(() => { told += 1; });
  socket.say(1, 1, panel({ whole: true, live: ['1', '2'], jobs: { 1: job('1'), 2: job('2') } }));
  socket.say(2, 1, panel({ live: ['2'], recent: ['1'], jobs: { 1: job('1', { state: 'DONE', outcome: 'done in 3 s' }) } }));
  expect(Object.keys(manager.panel.state.value?.jobs ?? {})).toEqual(['1', '2']);
  expect(manager.panel.job('1')?.outcome).toBe('done in 3 s');
  socket.say(3, 1, panel({ live: ['2'] }));
  expect(manager.panel.job('1')).toBeNull();
  socket.say(4, 1, panel({ whole: true }));
  expect(manager.panel.job('2')).toBeNull();
  expect(told).toBe(4);
});

test('a cluster that answers though it was said to be stopped is asked about once more, and no more', async () => {
  answers['GET clusters'] = () => json([cluster('embedded', { state: 'stopped', chosen: true })]);
  await manager.start();
  const socket = FakeSocket.last().greet();
  manager.panel.stateChanged.connect(() => undefined);
  answers['GET clusters'] = () => json([cluster('embedded', { chosen: true })]);
  socket.say(1, 1, panel({ whole: true, time: 0 }));
  expect(asked.filter(one => one === 'GET clusters')).toHaveLength(1);
  socket.say(2, 1, panel({ time: 5 }));
  socket.say(3, 1, panel({ time: 6 }));
  await vi.waitFor(() => { expect(manager.clusters.value[0]?.state).toBe('running'); });
  expect(asked.filter(one => one === 'GET clusters')).toHaveLength(2);
});

test('an action is answered, refused, or given up with the cluster', async () => {
  await manager.start();
  const socket = FakeSocket.last().greet();
  const acts = ['1', '2', '3'].map(id => manager.panel.act('cancel', id));
  socket.say(1, 1, { kind: 'acted', id: 1, text: 'Job 1 was cancelled.', error: '' });
  socket.say(2, 1, { kind: 'trouble', id: 2, message: 'job 2 is not yours' });
  await expect(acts[0]).resolves.toBe('Job 1 was cancelled.');
  await expect(acts[1]).rejects.toMatchObject({ message: 'job 2 is not yours' });
  manager.use('demo');
  await expect(acts[2]).rejects.toBeInstanceOf(ClusterError);
  expect(socket.said.slice(-4)).toMatchObject([
    { op: 'close', channel: 1 }, { op: 'open', start: { cluster: 'demo' } }, { message: { kind: 'hello' } }, { message: { kind: 'visible' } }
  ]);
});

test('notebooks are watched as long as somebody does, and again after a new session', async () => {
  await manager.start();
  const socket = FakeSocket.last().greet();
  const [one, other] = [manager.panel.watch('a.ipynb'), manager.panel.watch('a.ipynb')];
  manager.panel.watch('b.ipynb');
  const watches = (of: FakeSocket) => of.words().filter(word => (word as { kind: string }).kind === 'watch');
  expect(watches(socket)).toEqual([{ kind: 'watch', notebooks: ['a.ipynb'] }, { kind: 'watch', notebooks: ['a.ipynb', 'b.ipynb'] }]);
  const cells = { c1: { job_id: '1', cluster: 'site', name: 'fit', kind: 'cell', state: 'RUNNING', letters: 'r', text: 'running' } };
  socket.say(1, 1, { kind: 'cells', notebook: 'a.ipynb', cells });
  socket.say(2, 1, { kind: 'cells', notebook: 'not-watched.ipynb', cells });
  expect(manager.panel.cells.value).toEqual({ 'a.ipynb': cells });
  one.dispose();
  one.dispose();
  expect(watches(socket)).toHaveLength(2);
  other.dispose();
  expect(watches(socket).at(-1)).toEqual({ kind: 'watch', notebooks: ['b.ipynb'] });
  expect(manager.panel.cells.value).toEqual({});
});

test('why there is no panel is told, and taken back when it is there', async () => {
  await manager.start();
  const socket = FakeSocket.last().greet();
  expect(manager.panel.problem.value).toBeNull();
  socket.tell({ op: 'failed', seq: 1, channel: 1, error: { type: 'ClusterNotFound', message: 'there is none' } });
  expect(manager.panel.problem.value?.message).toBe('there is none');
  manager.panel.refresh();
  expect(socket.ops().slice(-2)).toEqual(['say', 'say']);
  socket.say(2, 2, panel({ whole: true }));
  expect(manager.panel.problem.value).toBeNull();
});

test('ended jobs are handed on', async () => {
  await manager.start();
  const ended: number[] = [];
  manager.panel.ended.connect((_, message) => { ended.push(message.failed); });
  FakeSocket.last().greet().say(1, 1, { kind: 'ended', jobs: [job('1')], more: 0, failed: 1, done: 0 });
  expect(ended).toEqual([1]);
});

test('a cluster is not started by JupyterLab being opened: only once somebody sees the panel', async () => {
  await manager.start();
  const socket = FakeSocket.last().greet();
  manager.panel.stateChanged.connect(() => undefined);
  expect(socket.said).toContainEqual(expect.objectContaining({ op: 'open', face: 'panel', start: { cluster: 'site', wake: false } }));
  socket.tell({ op: 'failed', seq: 1, channel: 1, error: { type: 'InvalidState', message: 'it does not run' } });
  expect(manager.panel.problem.value?.message).toBe('it does not run');
  manager.panel.shown();
  manager.panel.shown();
  const opened = socket.said.filter(said => said.op === 'open');
  expect(opened.map(said => said.start)).toEqual([{ cluster: 'site', wake: false }, { cluster: 'site' }]);
  expect(manager.panel.problem.value).toBeNull();
});
