// All that an explorer knows, and all that can be done in it. The components show it and call it; none talks to the host.
import { computed, signal } from '@preact/signals';

import type { PictureFormat } from '../face/chart_library';
import { FaceStore } from '../face/face_store';
import type { IHostWords } from '../face/host_words';
import { colourMemory, type IColourMemory, type Memory } from '../face/memory';
import type { IGrid } from '../grid/grid_api';
import { BROWSER_CLOCK, clockOf } from '../grid/wall_clock';
import type {
  ExplorerClientMessage, ExplorerHostMessage, ICode, IExplorerState, IExplorerWelcome, IExported, IFinding, IIngest, ITabFigures, TabName
} from '../protocol/explorer_messages';
import { EXPLORER_PROTOCOL } from '../protocol/explorer_messages';
import type { IChannel, IModuleSource, IRows, IViewRequest } from '../protocol/messages';
import { rankedAnew, type Ranks } from './figure_colours';
import { explorerMemory } from './remembered';
import { clicked, holds, toggled } from './terms';

const MOST_STEPS_BACK = 50;
const VIEW = 'records';

export type ExplorerChannel = IChannel<ExplorerClientMessage, ExplorerHostMessage>;

interface IAnswers {
  copy: { kind: 'copied'; id: number; text: string; rows: number };
  code: ICode;
  export: IExported;
  module: IModuleSource;
}

/** What narrows the jobs; a step back gives it back as it was. */
type Narrowing = Pick<IExplorerState, 'since' | 'until' | 'filter' | 'lasso'>;

const NOTHING: IExplorerState = {
  tab: 'usage', since: null, until: null, filter: '', by: 'owner', measure: 'slot_hours', lasso: null, rates: []
};

export class ExplorerStore extends FaceStore<ExplorerClientMessage, ExplorerHostMessage, IAnswers> {
  readonly welcome = signal<IExplorerWelcome | null>(null);
  readonly state = signal<IExplorerState>(NOTHING);
  readonly ingest = signal<IIngest | null>(null);
  /** What each tab showed last. */
  readonly figures = signal<Partial<Record<TabName, ITabFigures>>>({});
  /** null: they have not been told yet. */
  readonly findings = signal<readonly IFinding[] | null>(null);
  readonly ranks = signal<Ranks>({});
  /** How many steps back there are. */
  readonly steps = signal(0);
  /** Whether the table of jobs is open; on its own tab it always is. */
  readonly table = signal(true);
  /** Rows of the table, rows that match, and records that match without being rows. */
  readonly totals = signal<[number, number, number]>([-1, -1, 0]);
  /** What all times are shown by. */
  readonly clock = computed(() => {
    const changes = this.welcome.value?.clock;
    return changes === undefined ? BROWSER_CLOCK : clockOf(changes);
  });
  readonly shown = computed(() => this.figures.value[this.state.value.tab]);
  /** Whether what is seen is older than what was asked for. */
  readonly waiting = computed(() => this.live.value && this.answered.value < this.asked.value);
  readonly filterError = computed(() => this.shown.value?.filter_error ?? null);
  /** What makes a picture of each figure that is drawn: its address. */
  readonly pictures = new Map<string, (format: PictureFormat, dark: boolean) => Promise<string>>();
  memory = explorerMemory('');
  private readonly asked = signal(0);
  private readonly answered = signal(0);
  private readonly back: Narrowing[] = [];
  private colours: Memory<IColourMemory> | undefined;
  private grid: IGrid | undefined;
  private gridShown = true;
  private viewId: number | undefined;

  constructor(channel: ExplorerChannel, host?: IHostWords) {
    super(channel, 'explorer', EXPLORER_PROTOCOL, host);
    this.begin();
  }

  // -- what the host says -------------------------------------------------------------------------------------------

  protected override returned(): void {
    this.tell();
  }

  protected override left(): void {
    super.left();
    this.grid?.setStale(true);
  }

  protected override take(message: ExplorerHostMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.takeWelcome(message);
        break;
      case 'renewed':
        if (this.welcome.value !== null) {
          const { span, records, rejects, words, clock } = message;
          this.welcome.value = { ...this.welcome.value, span, records, rejects, words, clock };
        }
        break;
      case 'ingest':
        this.ingest.value = message;
        break;
      case 'figures':
        this.takeFigures(message);
        break;
      case 'findings':
        this.findings.value = message.findings;
        break;
      case 'rows':
        this.takeRows(message);
        break;
      case 'trouble':
        // What was asked for will not come.
        this.answered.value = this.asked.value;
        this.book.note(message.message, true);
        break;
      default:
        // An answer that nobody waits for any more: the dialog was closed.
        break;
    }
  }

  private takeWelcome(welcome: IExplorerWelcome): void {
    this.compare(welcome.protocol);
    const again = this.welcome.value !== null;
    this.welcome.value = welcome;
    if (again) {
      // Told anew of what there is, for this page or for another view of the same output. What this page shows counts.
      // Where nothing was chosen here, the host's choice does: it is another one when the first records were read.
      if (this.asked.value === 0) {
        this.state.value = welcome.state;
      }
      this.grid?.refresh(true);
      return;
    }
    // Files without a cluster are told apart by their names.
    const name = welcome.cluster === '' ? welcome.system : welcome.cluster;
    this.memory = explorerMemory(name);
    this.colours = colourMemory(name);
    this.ranks.value = { ...this.memory.get('colours'), owner: this.colours.get('owners') ?? [] };
    this.table.value = this.memory.get('table') ?? true;
    this.state.value = welcome.state;
    const tab = this.memory.get('tab');
    const first = welcome.tabs[0]?.name;
    if (tab !== undefined && tab !== welcome.state.tab && welcome.state.tab === first && welcome.tabs.some(one => one.name === tab)) {
      this.change({ tab });
    }
  }

  private takeFigures(figures: ITabFigures): void {
    this.figures.value = { ...this.figures.value, [figures.tab]: figures };
    this.answered.value = Math.max(this.answered.value, figures.sequence);
    if (figures.findings.length > 0) {
      // None yet: those of before stay until the new ones are told.
      this.findings.value = figures.findings;
    }
    const ranks = rankedAnew(this.ranks.value, figures.figures);
    if (ranks !== this.ranks.value) {
      this.ranks.value = ranks;
      this.memory.set({ colours: Object.fromEntries(Object.entries(ranks).map(([column, values]) => [column, [...values]])) });
      this.colours?.set({ owners: [...ranks.owner ?? []] });
    }
  }

  private takeRows(rows: Omit<IRows, 'view'> & { view: 'records' }): void {
    this.grid?.receive(rows);
    const totals: [number, number, number] = [rows.total, rows.matching, rows.left_out ?? 0];
    if (totals.some((count, place) => count !== this.totals.value[place])) {
      this.totals.value = totals;
    }
  }

  // -- the grid -----------------------------------------------------------------------------------------------------

  addGrid(grid: IGrid): () => void {
    this.grid = grid;
    grid.setStale(!this.live.value);
    return () => {
      this.grid = undefined;
      this.unview();
    };
  }

  request(request: IViewRequest): void {
    if (this.gridShown) {
      this.viewId = request.id;
      this.connection.send({ ...request, view: VIEW });
    }
  }

  /** Another view of the same output may show this table still: only this one's grid is meant. */
  private unview(): void {
    this.connection.send({ kind: 'unview', view: VIEW, ...(this.viewId === undefined ? {} : { id: this.viewId }) });
  }

  /** A grid that nobody sees is not kept up to date; it asks for all when it is seen again. */
  showGrid(shown: boolean): void {
    if (shown === this.gridShown) {
      return;
    }
    this.gridShown = shown;
    if (shown) {
      this.grid?.refresh(true);
    } else if (this.grid !== undefined) {
      this.unview();
    }
  }

  // -- what a person does -------------------------------------------------------------------------------------------

  setTab(tab: TabName): void {
    if (tab !== this.state.value.tab) {
      this.memory.set({ tab });
      this.change({ tab });
    }
  }

  setTable(open: boolean): void {
    this.table.value = open;
    this.memory.set({ table: open });
  }

  /** Narrow or widen what is shown; {@link stepBack} takes it back. */
  narrow(different: Partial<Narrowing>, besides: Partial<IExplorerState> = {}): void {
    const { since, until, filter, lasso } = this.state.value;
    const before: Narrowing = { since, until, filter, lasso };
    if (JSON.stringify({ ...before, ...different }) === JSON.stringify(before)) {
      return;
    }
    this.back.push(before);
    if (this.back.length > MOST_STEPS_BACK) {
      this.back.shift();
    }
    this.steps.value = this.back.length;
    this.change({ ...different, ...besides });
  }

  stepBack(): void {
    const before = this.back.pop();
    this.steps.value = this.back.length;
    if (before !== undefined) {
      this.change(before);
    }
  }

  reset(): void {
    this.narrow({ since: null, until: null, filter: '', lasso: null });
  }

  /** A click on a figure. */
  click(terms: readonly string[]): void {
    this.narrow({ filter: clicked(this.state.value.filter, terms) });
  }

  /** Show a finding where it is seen best, or take its filter away. */
  follow({ term, tab }: IFinding): void {
    const { filter } = this.state.value;
    if (term !== '' && holds(filter, term)) {
      this.narrow({ filter: toggled(filter, term) });
      return;
    }
    this.memory.set({ tab });
    if (term === '') {
      this.change({ tab });
    } else {
      this.narrow({ filter: toggled(filter, term) }, { tab });
    }
  }

  /** Show something else: the tab, the column to split by, the measure, the rates. */
  change(different: Partial<IExplorerState>): void {
    const rows = ['since', 'until', 'filter', 'lasso'].some(name => name in different);
    this.state.value = { ...this.state.value, ...different };
    this.tell();
    if (rows) {
      this.grid?.toTop();
      this.grid?.refresh(false);
    }
  }

  private tell(): void {
    // By the clock, so that it grows for all views that share a host.
    const sequence = Math.max(this.asked.value + 1, Date.now());
    this.asked.value = sequence;
    this.connection.send({ kind: 'state', sequence, state: this.state.value });
  }
}
