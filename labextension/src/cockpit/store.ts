// All that a cockpit knows, and all that can be done in it. The components show it and call it; none talks to the host.
import { batch, computed, signal, type Signal } from '@preact/signals';

import { ranked } from '../face/colours';
import { merged } from './map_hosts';
import type { IGrid } from '../grid/grid_api';
import type {
  ClientMessage, HostMessage, IActed, IActionInfo, IChannel, IChart, ICopied, IDetails, IFilterError, ILog, IMapHost, IModuleSource,
  IOverview, IPlan, IRenewed, IRows, IViewRequest, IWelcome, Target, ViewName
} from '../protocol/messages';
import { PROTOCOL } from '../protocol/messages';
import { type Connection, wordsOf } from '../face/connection';
import { FaceStore } from '../face/face_store';
import type { IHostWords } from '../face/host_words';
import { colourMemory, type IColourMemory, type Memory } from '../face/memory';
import { narrowed } from '../grid/filter_terms';
import { filterWord } from './state_word';
import { cockpitMemory, type TabName } from './remembered';
import type { IChosen } from './targets';

/** For this long after an edit the browser's filter counts, not the one that an older overview tells. */
const OWN_EDIT_MILLISECONDS = 2000;

interface IAnswers {
  details: IDetails;
  log: ILog;
  plan: IPlan;
  act: IActed;
  copy: ICopied;
  module: IModuleSource;
}

export type CockpitConnection = Connection<ClientMessage, HostMessage, IAnswers>;

/** An action that somebody is about to confirm. */
export interface IAsking {
  action: IActionInfo;
  targets: Target[] | 'matching';
}

/** How a cockpit begins where nobody has chosen anything. */
export interface ICockpitStart {
  /** How the host is called; as the kernel, if left out. */
  host?: IHostWords;
  /** The tab, and not the one that was left last. */
  tab?: TabName;
  filter?: string;
  mine?: boolean;
  /** What is remembered apart from other cockpits of the cluster: a page of several kinds of them. */
  place?: string;
}

export interface IOpened {
  job_id: string;
  task: number | null;
}

export class CockpitStore extends FaceStore<ClientMessage, HostMessage, IAnswers> {
  readonly welcome = signal<IWelcome | null>(null);
  /** How often the host has begun anew since. */
  readonly greeted = signal(0);
  readonly overview = signal<IOverview | null>(null);
  /** The host's time in seconds, once a second. */
  readonly now = signal(Date.now() / 1000);
  readonly filter: Signal<string>;
  readonly mine: Signal<boolean>;
  readonly filterError = signal<IFilterError | null>(null);
  readonly tab = signal<TabName>('jobs');
  readonly totals = signal<Partial<Record<ViewName, [number, number]>>>({});
  readonly selection = signal<IChosen[]>([]);
  /** All jobs that match are selected, also those that the browser has never seen. */
  readonly selectedAll = signal(false);
  readonly opened = signal<IOpened | null>(null);
  readonly details = signal<IDetails | null>(null);
  readonly detailsTrouble = signal('');
  readonly asking = signal<IAsking | null>(null);
  readonly hosts = signal<ReadonlyMap<string, IMapHost>>(new Map());
  readonly mapOwners = signal<string[]>([]);
  /** Owners that have a colour, in the order of the colours. */
  readonly ranks = signal<readonly string[]>([]);
  readonly charts = signal<Readonly<Record<string, IChart>>>({});
  /** Said to a screen reader, politely. */
  readonly spoken = signal('');
  readonly replaying = computed(() => this.overview.value?.replay.at ?? null);
  /** Why nothing can be done to jobs now; ''. */
  readonly noActions = computed(() => {
    if (!this.live.value) {
      return this.host.gone;
    }
    return this.replaying.value === null ? '' : 'what is shown is past: go back to live first';
  });
  memory = cockpitMemory('');
  private readonly grids = new Map<ViewName, IGrid>();
  private readonly hidden = new Set<ViewName>();
  /** The last request of each grid. */
  private readonly asked = new Map<ViewName, number>();
  private ahead = 0;
  private edited = 0;
  private colours: Memory<IColourMemory> | undefined;

  constructor(channel: IChannel, private readonly start: ICockpitStart = {}) {
    super(channel, 'cockpit', PROTOCOL, start.host);
    this.filter = signal(start.filter ?? '');
    this.mine = signal(start.mine ?? false);
    const ticker = setInterval(() => { this.tick(); }, 1000);
    this.begin(() => { clearInterval(ticker); });
  }

  // -- what the host says -------------------------------------------------------------------------------------------

  protected override returned(): void {
    this.connection.send({ kind: 'filter', text: this.filter.value, mine: this.mine.value });
  }

  protected override receive(message: HostMessage): boolean {
    const answered = super.receive(message);
    if (answered && message.kind === 'details') {
      this.takeDetails(message);
    }
    return answered;
  }

  protected override take(message: HostMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.takeWelcome(message);
        break;
      case 'renewed':
        this.takeRenewed(message);
        break;
      case 'overview':
        this.takeOverview(message);
        break;
      case 'rows':
        this.takeRows(message);
        break;
      case 'map':
        this.hosts.value = merged(this.hosts.value, message);
        this.mapOwners.value = message.owners;
        break;
      case 'details':
        this.takeDetails(message);
        break;
      case 'chart':
        this.charts.value = { ...this.charts.value, [message.name]: message };
        break;
      case 'trouble':
        this.note(message.message, true);
        break;
      default:
        // An answer that nobody waits for any more: the drawer or dialog was closed.
        break;
    }
  }

  private takeWelcome(welcome: IWelcome): void {
    this.compare(welcome.protocol);
    this.memory = cockpitMemory(welcome.cluster, this.start.place);
    const again = this.welcome.value !== null;
    if (!again) {
      this.colours = colourMemory(welcome.cluster);
      this.ranks.value = this.colours.get('owners') ?? [];
    }
    this.welcome.value = welcome;
    if (again) {
      // The host has begun anew, for this page or for another view of the same output: it has forgotten what is open.
      this.greeted.value += 1;
      this.grids.forEach(grid => { grid.refresh(true); });
      this.reopen();
    } else {
      this.tab.value = this.start.tab ?? this.memory.get('tab') ?? 'jobs';
    }
  }

  private takeRenewed(renewed: IRenewed): void {
    if (this.welcome.value !== null) {
      this.welcome.value = { ...this.welcome.value, ...renewed, kind: 'welcome' };
    }
  }

  private takeOverview(overview: IOverview): void {
    this.ahead = overview.now - Date.now() / 1000;
    // The recorded times are told only when they differ.
    const replay = { ...overview.replay, times: overview.replay.times ?? this.overview.value?.replay.times ?? [] };
    this.overview.value = { ...overview, replay };
    const slots = new Map(overview.owners.filter(one => one.owner !== '…').map(one => [one.owner, one.slots]));
    const ranks = ranked(slots, this.ranks.value);
    if (ranks.join('\n') !== this.ranks.value.join('\n')) {
      this.ranks.value = ranks;
      this.colours?.set({ owners: ranks });
    }
    if (Date.now() - this.edited > OWN_EDIT_MILLISECONDS) {
      this.filter.value = overview.filter;
      this.mine.value = overview.mine;
    }
    this.tick();
    this.grids.forEach(grid => { grid.setStale(overview.stale_since > 0); });
  }

  private takeRows(rows: IRows): void {
    this.grids.get(rows.view)?.receive(rows);
    const [total, matching] = this.totals.value[rows.view] ?? [-1, -1];
    if (total !== rows.total || matching !== rows.matching) {
      this.totals.value = { ...this.totals.value, [rows.view]: [rows.total, rows.matching] };
    }
    if (rows.filter_error !== undefined) {
      this.filterError.value = rows.filter_error;
    }
  }

  private takeDetails(details: IDetails): void {
    const opened = this.opened.value;
    if (opened?.job_id === details.job_id && opened.task === details.task) {
      this.details.value = details;
      this.detailsTrouble.value = '';
    }
  }

  private tick(): void {
    if (this.visible.value) {
      this.now.value = Date.now() / 1000 + this.ahead;
    }
  }

  // -- grids --------------------------------------------------------------------------------------------------------

  addGrid(view: ViewName, grid: IGrid): () => void {
    this.grids.set(view, grid);
    grid.setStale((this.overview.value?.stale_since ?? 0) > 0);
    return () => {
      this.grids.delete(view);
      this.unview(view);
    };
  }

  request(request: IViewRequest): void {
    if (!this.hidden.has(request.view)) {
      this.asked.set(request.view, request.id);
      this.connection.send(request);
    }
  }

  /** Another view of the same output may show this table still: only this one's grid is meant. */
  private unview(view: ViewName): void {
    const id = this.asked.get(view);
    this.connection.send({ kind: 'unview', view, ...(id === undefined ? {} : { id }) });
  }

  /** A grid that nobody sees is not kept up to date; it asks for all when it is seen again. */
  showGrid(view: ViewName, shown: boolean): void {
    if (shown && this.hidden.delete(view)) {
      this.grids.get(view)?.refresh(true);
    } else if (!shown && !this.hidden.has(view)) {
      this.hidden.add(view);
      if (this.grids.has(view)) {
        this.unview(view);
      }
    }
  }

  gridOf(view: ViewName): IGrid | undefined {
    return this.grids.get(view);
  }

  // -- what a person does -------------------------------------------------------------------------------------------

  override setVisible(visible: boolean): void {
    const differs = visible !== this.visible.value;
    super.setVisible(visible);
    if (differs) {
      this.tick();
    }
  }

  setTab(tab: TabName): void {
    this.tab.value = tab;
    this.memory.set({ tab });
  }

  setFilter(text: string, mine = this.mine.value): void {
    if (text === this.filter.value && mine === this.mine.value) {
      return;
    }
    this.edited = Date.now();
    batch(() => {
      this.filter.value = text;
      this.mine.value = mine;
      this.filterError.value = null;
    });
    this.connection.send({ kind: 'filter', text, mine });
    this.grids.forEach(grid => {
      grid.toTop();
      grid.refresh(false);
    });
  }

  /** Narrow everything by a value, or take that away. */
  narrow(column: string, value: string): void {
    this.setFilter(narrowed(this.filter.value, column, column === 'state' ? filterWord(value) : value));
  }

  replay(at: number | null): void {
    this.connection.send({ kind: 'replay', at });
  }

  open(job_id: string, task: number | null): void {
    const before = this.opened.value;
    batch(() => {
      this.opened.value = { job_id, task };
      this.detailsTrouble.value = '';
      // The same job's facts stay until those of its task are there.
      if (before?.job_id !== job_id) {
        this.details.value = null;
      }
    });
    this.connection.ask('details', { job_id, task }).catch((why: unknown) => {
      if (this.opened.value?.job_id === job_id) {
        this.detailsTrouble.value = wordsOf(why);
      }
    });
  }

  /** The host has forgotten which job is open. */
  private reopen(): void {
    const { opened } = this;
    if (opened.value !== null) {
      this.open(opened.value.job_id, opened.value.task);
    }
  }

  close(): void {
    if (this.opened.value !== null) {
      batch(() => {
        this.opened.value = null;
        this.details.value = null;
      });
      this.connection.send({ kind: 'close_details' });
    }
  }

  /** Ask for a confirmation of an action. */
  act(name: string, targets: Target[] | 'matching'): void {
    const action = this.welcome.value?.actions.find(one => one.name === name);
    if (action !== undefined && this.noActions.value === '') {
      this.asking.value = { action, targets };
    }
  }

  /** Why this user may not act on those; ''. What their states allow is told by the host's plan. */
  forbidden(owners: string[]): string {
    const { user, operator } = this.welcome.value ?? { user: '', operator: false };
    const others = [...new Set(owners)].filter(owner => owner !== '' && owner !== user);
    return operator || others.length === 0 ? '' : `of ${others.slice(0, 3).join(', ')}: only an operator may act on others' jobs`;
  }

  note(text: string, alarm = false): void {
    this.book.note(text, alarm);
  }
}
