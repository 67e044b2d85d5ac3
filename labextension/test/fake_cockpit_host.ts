import type {
  ClientMessage, HostMessage, IActionInfo, IChannel, IColumn, IDetails, IMapHost, IOverview, IRows, IViewRequest, IWelcome, ViewName
} from '../src/protocol/messages';

/** The other end of a cockpit's channel: keeps what was said, and says what a test wants. */
export class FakeCockpitHost implements IChannel {
  readonly sent: ClientMessage[] = [];
  private readonly handlers = new Set<(message: HostMessage) => void>();
  private readonly liveHandlers = new Set<(live: boolean) => void>();

  send(message: ClientMessage): void {
    this.sent.push(message);
  }

  onMessage(handler: (message: HostMessage) => void): () => void {
    this.handlers.add(handler);
    return () => { this.handlers.delete(handler); };
  }

  onLive(handler: (live: boolean) => void): () => void {
    this.liveHandlers.add(handler);
    return () => { this.liveHandlers.delete(handler); };
  }

  tell(...messages: HostMessage[]): void {
    messages.forEach(message => { this.handlers.forEach(handler => { handler(message); }); });
  }

  setLive(live: boolean): void {
    this.liveHandlers.forEach(handler => { handler(live); });
  }

  listening(): number {
    return this.handlers.size + this.liveHandlers.size;
  }

  /** What was said of a kind, in order. */
  said<K extends ClientMessage['kind']>(kind: K): Extract<ClientMessage, { kind: K }>[] {
    return this.sent.filter((message): message is Extract<ClientMessage, { kind: K }> => message.kind === kind);
  }

  last<K extends ClientMessage['kind']>(kind: K): Extract<ClientMessage, { kind: K }> {
    const found = this.said(kind).at(-1);
    if (found === undefined) {
      throw new Error(`the cockpit did not say ${kind}`);
    }
    return found;
  }

  /** Answer the last request of a view with rows of these cells, by key. */
  tellRows(view: ViewName, rows: Record<string, Record<string, IRows['rows'][string][number]>>): void {
    const request: IViewRequest | undefined = this.said('view').filter(one => one.view === view).at(-1);
    if (request === undefined) {
      throw new Error(`the cockpit did not ask for ${view}`);
    }
    const keys = Object.keys(rows);
    this.tell({
      kind: 'rows', view, id: request.id, version: 1, total: keys.length, matching: keys.length, first: 0, keys, columns: request.columns,
      rows: Object.fromEntries(keys.map(key => [key, request.columns.map(name => rows[key]?.[name] ?? null)]))
    });
  }
}

function column(name: string, label: string, type: IColumn['type'] = 'text'): IColumn {
  return { name, label, type, width: 90, shown: true, sortable: true, help: `${label}.` };
}

const CANCEL: IActionInfo = { name: 'cancel', label: 'Cancel', help: 'End the jobs (qdel).', fields: [], danger: true };
const PRIORITY: IActionInfo = {
  name: 'priority', label: 'Priority', help: 'Change the priority (qalter -p).', danger: false,
  fields: [{ name: 'priority', label: 'Priority', type: 'integer', help: '-1023 to 1024', minimum: -1023, maximum: 1024 }]
};

export function makeWelcome(different: Partial<IWelcome> = {}): IWelcome {
  return {
    kind: 'welcome', protocol: 1, cluster: 'demo', system: 'Grid Engine 8.1.9', user: 'alice', operator: false,
    columns: {
      jobs: [column('job_id', 'Job'), column('name', 'Name'), column('owner', 'Owner'), column('letters', 'State', 'state')],
      queues: [column('queue', 'Queue')], queue_instances: [column('queue', 'Queue'), column('host', 'Host')], hosts: [column('host', 'Host')]
    },
    words: [{ word: 'owner', help: 'who submitted it', values: ['alice', 'bob'] }],
    actions: [CANCEL, PRIORITY],
    charts: [{ name: 'running', label: 'Running and waiting' }],
    ...different
  };
}

export function makeOverview(different: Partial<IOverview> = {}): IOverview {
  const now = Date.now() / 1000;
  return {
    kind: 'overview', sequence: 1, time: now - 3, now, stale_since: 0, error: '', interval: 10,
    slots: { used: 60, free: 30, closed: 10, total: 100 }, hosts: { up: 9, down: 1 },
    tasks: { RUNNING: 50, QUEUED: 1200, ERROR: 2 }, jobs: 20,
    owners: [{ owner: 'alice', slots: 40, waiting: 1000 }, { owner: 'bob', slots: 20, waiting: 200 }],
    queues: [{ queue: 'all.q', used: 60, total: 100, closed: 10 }],
    matching: { jobs: 20, running: 50, waiting: 1200 }, filter: '', mine: false,
    replay: { at: null, times: [now - 300, now - 200, now - 100], kept: 'the last 5 min, 1 MB of at most 64 MB' },
    ...different
  };
}

export function makeDetails(different: Partial<IDetails> = {}): IDetails {
  const now = Date.now() / 1000;
  return {
    kind: 'details', id: 0, job_id: '17', task: null, name: 'fit', owner: 'alice', letters: 'r', state: 'RUNNING', array: false,
    facts: [{ title: 'Where', rows: [['queue', 'all.q'], ['host', 'node1']] }], requests: [['h_rt', '600']], reasons: [],
    timeline: [{ time: now - 60, what: 'submitted' }], strip: [],
    usage: [{ label: 'wall clock', used: 540, asked: 600, unit: 'seconds' }, { label: 'memory', used: 2 ** 30, asked: null, unit: 'bytes' }],
    logs: [{ stream: 'stdout', path: '/home/ann/fit.o17' }, { stream: 'stderr', path: '/home/ann/fit.e17' }],
    cell: { notebook: 'fit.ipynb', execution_count: 3, source: 'model = <b>train</b>()', folder: '/home/ann/jobs/fit' },
    actions: ['cancel', 'priority'], trouble: '', gone: false,
    ...different
  };
}

export function makeHost(name: string, different: Partial<IMapHost> = {}): IMapHost {
  return { host: name, used: 4, total: 8, load: 3.5, cores: 8, state: '', owners: [0, 3, 1, 1], matches: true, ...different };
}

/** The key of a job: gcs_lab/status/keys.py. */
export function keyOf(job: number, lower = 0): string {
  return String((BigInt(job) << 32n) | BigInt(lower));
}
