import type {
  ExplorerClientMessage, ExplorerHostMessage, IExplorerFigure, IExplorerState, IExplorerWelcome, IIngest, ITabFigures
} from '../src/protocol/explorer_messages';
import type { IChannel, IColumn } from '../src/protocol/messages';

/** The other end of an explorer's channel: keeps what was said, and says what a test wants. It computes nothing. */
export class FakeExplorerHost implements IChannel<ExplorerClientMessage, ExplorerHostMessage> {
  readonly sent: ExplorerClientMessage[] = [];
  private readonly handlers = new Set<(message: ExplorerHostMessage) => void>();
  private readonly liveHandlers = new Set<(live: boolean) => void>();

  send(message: ExplorerClientMessage): void {
    this.sent.push(message);
  }

  onMessage(handler: (message: ExplorerHostMessage) => void): () => void {
    this.handlers.add(handler);
    return () => { this.handlers.delete(handler); };
  }

  onLive(handler: (live: boolean) => void): () => void {
    this.liveHandlers.add(handler);
    return () => { this.liveHandlers.delete(handler); };
  }

  tell(...messages: ExplorerHostMessage[]): void {
    messages.forEach(message => { this.handlers.forEach(handler => { handler(message); }); });
  }

  setLive(live: boolean): void {
    this.liveHandlers.forEach(handler => { handler(live); });
  }

  listening(): number {
    return this.handlers.size + this.liveHandlers.size;
  }

  /** What was said of a kind, in order. */
  said<K extends ExplorerClientMessage['kind']>(kind: K): Extract<ExplorerClientMessage, { kind: K }>[] {
    return this.sent.filter((message): message is Extract<ExplorerClientMessage, { kind: K }> => message.kind === kind);
  }

  last<K extends ExplorerClientMessage['kind']>(kind: K): Extract<ExplorerClientMessage, { kind: K }> {
    const found = this.said(kind).at(-1);
    if (found === undefined) {
      throw new Error(`the explorer did not say ${kind}`);
    }
    return found;
  }

  /** Answer the last state that was asked for. */
  answer(different: Partial<ITabFigures> = {}): void {
    const { sequence, state } = this.said('state').at(-1) ?? { sequence: 0, state: makeState() };
    this.tell(makeFigures({ sequence, tab: state.tab, ...different }));
  }
}

/** Noon of a day in UTC; tests run in any zone. */
export const LAST = Date.UTC(2026, 5, 15, 12) / 1000;
export const FIRST = LAST - 400 * 86_400;

export function makeState(different: Partial<IExplorerState> = {}): IExplorerState {
  return {
    tab: 'usage', since: null, until: null, filter: '', by: 'owner', measure: 'slot_hours', lasso: null,
    rates: [{ filter: '', per_slot_hour: 0.02, per_gib_hour: 0 }], ...different
  };
}

function column(name: string, label: string, type: IColumn['type'] = 'text'): IColumn {
  return { name, label, type, width: 90, shown: true, sortable: true, help: `${label}.` };
}

export function makeExplorerWelcome(different: Partial<IExplorerWelcome> = {}): IExplorerWelcome {
  return {
    kind: 'welcome', protocol: 1, cluster: 'demo', system: 'Grid Engine 8.1.9', span: [FIRST, LAST], records: 12_000, rejects: 3,
    columns: [column('job_id', 'Job'), column('name', 'Name'), column('owner', 'Owner'), column('end_time', 'Ended', 'time')],
    words: [{ word: 'owner', help: 'who submitted it', values: ['alice', 'bob'] }],
    clock: [[0, new Date(LAST * 1000).getTimezoneOffset() * -60]],
    tabs: [
      { name: 'usage', label: 'Usage', help: 'Who used how much.' }, { name: 'waits', label: 'Waiting', help: 'How long jobs waited.' },
      { name: 'efficiency', label: 'Efficiency', help: 'Asked and used.' }, { name: 'failures', label: 'Failures', help: 'What failed.' },
      { name: 'utilisation', label: 'Utilisation', help: 'Slots in use.' }, { name: 'cost', label: 'Cost', help: 'By a table of rates.' },
      { name: 'jobs', label: 'Jobs', help: 'One by one.' }
    ],
    groupings: [{ name: 'owner', label: 'Owner' }, { name: 'queue', label: 'Queue' }],
    measures: [{ name: 'slot_hours', label: 'Slot hours' }, { name: 'jobs', label: 'Jobs' }],
    currency: 'EUR', state: makeState(), ...different
  };
}

export function makeFigure(different: Partial<IExplorerFigure> = {}): IExplorerFigure {
  return {
    name: 'over_time', title: 'Slot hours by owner', caption: 'Each day.',
    figure: { data: [{ type: 'bar', name: 'alice', x: [1], y: [2] }, { type: 'bar', name: 'bob', x: [1], y: [1] }], layout: {} },
    terms: { alice: 'owner:alice', bob: 'owner:bob' }, brush: true, lasso: false, wide: true, ...different
  };
}

export function makeFigures(different: Partial<ITabFigures> = {}): ITabFigures {
  return {
    kind: 'figures', tab: 'usage', sequence: 0, matching: 12_000, period: 12_000,
    facts: [{ label: 'Total', value: '3,200 h', help: 'Sum over all.' }, { label: 'Failed', value: '31 %', help: 'Of the jobs.', bad: true }],
    figures: [makeFigure()],
    findings: [
      { text: 'alice waits', term: 'owner:alice', weight: 0.2, tab: 'waits' }, { text: 'node017: 31 % of its jobs fail', term: 'host:node017 failed>0', weight: 0.9, tab: 'failures' }
    ],
    empty: '', filter_error: null, ...different
  };
}

export function makeIngest(different: Partial<IIngest> = {}): IIngest {
  return {
    kind: 'ingest', state: 'reading', bytes_done: 2 ** 30, bytes_total: 4 * 2 ** 30, records: 3_000_000, rejects: 2, rate: 2 ** 27, left: 24,
    message: 'Reading accounting', ...different
  };
}
