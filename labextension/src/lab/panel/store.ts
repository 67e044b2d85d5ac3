// What the panel's view holds: what was chosen in it, which rows are shown, and the clock that their durations follow.
import { batch, computed, effect, signal } from '@preact/signals';

import { wordsOf } from '../../face/connection';
import { Memory } from '../../face/memory';
import { NoteBook } from '../../face/notes';
import type { IPanel, IPanelJob } from '../../protocol/panel_messages';
import type { IClusterInfo } from '../../protocol/rest';
import { meant, since } from './job_words';
import type { IPanelPlatform } from './platform';
import { Ticking } from './ticking';

/** From so many rows on there is a field to find some. */
export const FILTERED_FROM = 15;

/** How often it is looked whether a cluster that is stopped was started from elsewhere, milliseconds. */
const LOOK_FOR_START = 10_000;

export type SectionName = 'live' | 'recent';

interface IRemembered {
  /** Sections that are folded. */
  folded: SectionName[];
}

export interface IRow {
  key: string;
  job: IPanelJob;
}

export class PanelStore {
  readonly book = new NoteBook();
  readonly ticking = new Ticking();
  readonly dark = signal(false);
  readonly filter = signal('');
  readonly folded = signal<readonly SectionName[]>([]);
  /** The row that Tab reaches; it may be gone. */
  readonly chosen = signal('');
  /** What has the focus in the place of the rows, until there are some. */
  private instead: Element | null = null;
  /** Whether the list of clusters is open. */
  readonly choosing = signal(false);
  /** What is being started or stopped; why neither can be done now is `noChange`. */
  readonly changing = signal('');
  readonly noChange = computed(() => {
    const { manager, trans } = this.platform;
    if (manager.connection.value.status === 'lost') {
      return trans.__('the Jupyter server does not answer');
    }
    return this.changing.value === '' ? '' : trans.__('%1 is being started or stopped', this.changing.value);
  });
  /** Since when the server does not answer, by the browser's clock, seconds; 0: it does. */
  readonly lostSince = signal(0);

  readonly cluster = computed<IClusterInfo | null>(() => {
    const { clusters, current } = this.platform.manager;
    return clusters.value.find(({ name }) => name === current.value) ?? null;
  });
  /** The latest picture; while nobody sees the panel, that of before. */
  readonly panel = signal<IPanel | null>(null);
  private readonly seen = signal(true);
  /** Nothing runs that could be asked. A picture that is newer than the list of clusters knows better. */
  readonly stopped = computed(() => {
    const panel = this.panel.value;
    return this.cluster.value?.state === 'stopped' && (panel === null || panel.stale_since > 0 || panel.time <= this.listedAt.value);
  });
  readonly live = computed<IRow[]>(() => this.rows(this.panel.value?.live));
  readonly recent = computed<IRow[]>(() => this.rows(this.panel.value?.recent));
  readonly filterable = computed(() => this.filter.value !== '' || this.live.value.length + this.recent.value.length >= FILTERED_FROM);
  readonly shownLive = computed(() => this.narrowed(this.live.value));
  readonly shownRecent = computed(() => this.narrowed(this.recent.value));
  /** All rows that are on the page, from top to bottom. */
  readonly order = computed(() => [
    ...(this.folded.value.includes('live') ? [] : this.shownLive.value),
    ...(this.folded.value.includes('recent') ? [] : this.shownRecent.value)
  ].map(({ key }) => key));
  /** The one row that Tab reaches. */
  readonly reached = computed(() => (this.order.value.includes(this.chosen.value) ? this.chosen.value : this.order.value[0] ?? ''));

  /** Time of the picture that was there when the clusters were told. */
  private readonly listedAt = signal(0);
  private doubted = false;
  private looking: ReturnType<typeof setTimeout> | undefined;
  private readonly memory = new Memory<IRemembered>('gcs-lab:panel');
  private readonly endings: (() => void)[];

  constructor(readonly platform: IPanelPlatform) {
    this.folded.value = this.memory.get('folded') ?? [];
    this.endings = [
      effect(() => {
        if (this.seen.value) {
          this.panel.value = platform.manager.panel.state.value;
        }
      }),
      effect(() => {
        const panel = this.panel.value;
        if (panel !== null) {
          this.ticking.tell(panel.now, youngest(panel));
        }
      }),
      effect(() => {
        const { value: clusters } = platform.manager.clusters;
        const stopped = clusters.find(({ name }) => name === platform.manager.current.value)?.state === 'stopped';
        const panel = this.panel.peek();
        this.listedAt.value = panel?.time ?? 0;
        if (stopped && panel !== null && panel.stale_since === 0 && !this.doubted) {
          // The list may have been made before the cluster was started: ask once more.
          this.doubted = true;
          void this.noting(platform.manager.refreshClusters());
        } else if (!stopped) {
          this.doubted = false;
        }
      }),
      effect(() => {
        if (this.stopped.value) {
          clearTimeout(this.looking);
          this.looking = setTimeout(() => { this.lookForStart(); }, LOOK_FOR_START);
        }
      }),
      effect(() => {
        const lost = platform.manager.connection.value.status === 'lost';
        this.lostSince.value = lost ? this.lostSince.peek() || Date.now() / 1000 : 0;
      })
    ];
  }

  dispose(): void {
    this.endings.forEach(end => { end(); });
    clearTimeout(this.looking);
    this.ticking.dispose();
    this.book.dispose();
  }

  /** Remember what has the focus until there are rows; who leaves it has chosen something else. */
  awaitRows(instead: Element | null): void {
    this.instead = instead;
    instead?.addEventListener('focusout', () => { this.instead = null; }, { once: true });
  }

  /** Whether the focus is to go to the first row now. */
  awaitsRows(): boolean {
    return this.instead !== null && this.instead === document.activeElement;
  }

  /** Whether somebody sees the panel. */
  setSeen(seen: boolean): void {
    this.seen.value = seen;
    this.ticking.run(seen);
    if (seen) {
      this.platform.manager.panel.shown();
    }
    this.lookForStart();
  }

  /** While somebody sees that nothing runs: it may be started from elsewhere, as by a kernel that submits. */
  private lookForStart(): void {
    clearTimeout(this.looking);
    if (this.seen.peek() && this.stopped.peek()) {
      void this.noting(this.platform.manager.refreshClusters());
      this.looking = setTimeout(() => { this.lookForStart(); }, LOOK_FOR_START);
    }
  }

  fold(section: SectionName): void {
    const folded = this.folded.value;
    this.folded.value = folded.includes(section) ? folded.filter(one => one !== section) : [...folded, section];
    this.memory.set({ folded: [...this.folded.value] });
  }

  /** Find out what there is, for the list of clusters. */
  async toggleChooser(): Promise<void> {
    this.choosing.value = !this.choosing.value;
    if (this.choosing.value) {
      await this.noting(this.platform.manager.refreshClusters());
    }
  }

  use(name: string): void {
    batch(() => {
      this.choosing.value = false;
      this.filter.value = '';
      this.platform.manager.use(name);
    });
  }

  async start(name: string): Promise<void> {
    await this.change(name, async () => {
      await this.platform.manager.startCluster(name);
      // One that did not answer is asked again in a while only.
      this.platform.manager.panel.refresh();
    });
  }

  async stop(info: IClusterInfo): Promise<void> {
    const { manager } = this.platform;
    const { name } = info;
    const jobs = name === manager.current.value ? this.live.value.length : 0;
    if (await this.platform.confirmStop(info, jobs)) {
      await this.change(name, async () => {
        await manager.ask('POST', `clusters/${encodeURIComponent(name)}/stop`, { body: {} });
        await manager.refreshClusters();
      });
    }
  }

  private async change(name: string, work: () => Promise<unknown>): Promise<void> {
    if (this.changing.value !== '') {
      return;
    }
    this.changing.value = name;
    if (await this.noting(work())) {
      this.choosing.value = false;
    }
    this.changing.value = '';
  }

  /** Whether it went well; if not, a note says why. */
  private async noting(work: Promise<unknown>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (why) {
      this.book.note(wordsOf(why), true);
      return false;
    }
  }

  private rows(keys: readonly string[] | undefined): IRow[] {
    const jobs = this.panel.value?.jobs ?? {};
    return (keys ?? []).flatMap(key => {
      const job = jobs[key];
      return job === undefined ? [] : [{ key, job }];
    });
  }

  private narrowed(rows: IRow[]): IRow[] {
    const text = this.filter.value;
    return text === '' ? rows : rows.filter(({ job }) => meant(job, text, this.platform.trans));
  }
}

/** The latest moment that a duration is counted from: while it is recent, seconds are told. */
function youngest(panel: IPanel): number {
  return [...panel.live, ...panel.recent].reduce((latest, key) => {
    const job = panel.jobs[key];
    return Math.max(latest, (job === undefined ? null : since(job)) ?? 0);
  }, 0);
}
