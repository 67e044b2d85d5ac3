// My jobs on the current cluster, kept up to date over one channel for all parts of the page that show them. The channel
// is opened when one of them first asks for something.
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { ReadonlySignal } from '@preact/signals';
import { batch, signal } from '@preact/signals';

import type { IProblem } from '../../protocol/envelope';
import type { ICells, IEnded, IPanel, IPanelJob, PanelAction, PanelClientMessage, PanelHostMessage } from '../../protocol/panel_messages';
import { PANEL_PROTOCOL } from '../../protocol/panel_messages';
import type { IFaceChannel, IPanelModel } from '../tokens';
import { ClusterError } from '../tokens';

type PanelChannel = IFaceChannel<PanelClientMessage, PanelHostMessage>;

interface IAsked {
  resolve(text: string): void;
  reject(why: ClusterError): void;
}

export class PanelModel implements IPanelModel {
  private readonly _state = signal<IPanel | null>(null);
  private readonly _cells = signal<Readonly<Record<string, ICells['cells']>>>({});
  private readonly _problem = signal<IProblem | null>(null);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _ended = new Signal<this, IEnded>(this);
  private readonly watched = new Map<string, number>();
  private readonly asked = new Map<number, IAsked>();
  private channel: PanelChannel | null = null;
  private endings: (() => void)[] = [];
  private needed = false;
  private cluster = '';
  private seenOnce = false;
  private numbers = 0;
  private readonly seen = () => { this.channel?.send({ kind: 'visible', visible: document.visibilityState !== 'hidden' }); };

  /**
   * @param open - the channel of a cluster's panel; `seen`: somebody looks at the panel, and did not only open JupyterLab
   * @param answered - told when the cluster answers (a snapshot was taken), and when it does not, or not any more
   */
  constructor(
    private readonly open: (cluster: string, seen: boolean) => PanelChannel, private readonly trans: TranslationBundle,
    private readonly answered: (cluster: string, well: boolean) => void = () => undefined
  ) {}

  get state(): ReadonlySignal<IPanel | null> {
    this.need();
    return this._state;
  }

  get cells(): ReadonlySignal<Readonly<Record<string, ICells['cells']>>> {
    this.need();
    return this._cells;
  }

  get problem(): ReadonlySignal<IProblem | null> {
    this.need();
    return this._problem;
  }

  get stateChanged(): ISignal<this, void> {
    this.need();
    return this._stateChanged;
  }

  get ended(): ISignal<this, IEnded> {
    this.need();
    return this._ended;
  }

  job(jobId: string): IPanelJob | null {
    const jobs = this.state.value?.jobs ?? {};
    return jobs[jobId] ?? Object.values(jobs).find(job => job.job_id === jobId) ?? null;
  }

  act(action: PanelAction, jobId: string): Promise<string> {
    this.need();
    const { channel } = this;
    if (channel === null) {
      return Promise.reject(new ClusterError({ type: 'NoCluster', message: this.trans.__('No cluster is chosen.') }, 0));
    }
    this.numbers += 1;
    const id = this.numbers;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      channel.send({ kind: 'act', id, action, job_id: jobId });
    });
  }

  watch(notebook: string): { dispose(): void } {
    this.need();
    const count = this.watched.get(notebook) ?? 0;
    this.watched.set(notebook, count + 1);
    if (count === 0) {
      this.sendWatched();
    }
    let disposed = false;
    return {
      dispose: () => {
        if (!disposed) {
          disposed = true;
          this.unwatch(notebook);
        }
      }
    };
  }

  refresh(): void {
    this.need();
    this.channel?.retry();
    this.channel?.send({ kind: 'refresh' });
  }

  shown(): void {
    if (!this.seenOnce) {
      this.seenOnce = true;
      if (this.channel !== null && this._state.value === null) {
        // It was, or will be, refused: nobody wanted it enough to start the cluster.
        this.leave();
        this.enter();
      }
    }
    this.need();
  }

  /** Show another cluster; '' for none. */
  use(cluster: string): void {
    if (cluster !== this.cluster) {
      this.cluster = cluster;
      this.leave();
      this.enter();
    }
  }

  dispose(): void {
    this.leave();
    Signal.clearData(this);
  }

  private need(): void {
    if (!this.needed) {
      this.needed = true;
      this.enter();
    }
  }

  private enter(): void {
    if (!this.needed || this.cluster === '' || this.channel !== null) {
      return;
    }
    const channel = this.open(this.cluster, this.seenOnce);
    this.channel = channel;
    document.addEventListener('visibilitychange', this.seen);
    this.endings = [
      channel.onMessage(message => { this.receive(message); }),
      channel.onLive(live => {
        if (live) {
          this.greet();
        } else {
          this.abandon(this.trans.__('The line to the cluster was lost before it answered. Look whether it was done, and try again.'));
        }
      }),
      channel.problem.subscribe(problem => { this.trouble(problem); })
    ];
    this.greet();
  }

  private leave(): void {
    document.removeEventListener('visibilitychange', this.seen);
    this.endings.forEach(end => { end(); });
    this.endings = [];
    this.channel?.dispose();
    this.channel = null;
    this.abandon(this.trans.__('Another cluster was chosen before it answered.'));
    batch(() => {
      this._state.value = null;
      this._problem.value = null;
      this._cells.value = {};
    });
    this._stateChanged.emit();
  }

  private greet(): void {
    this.channel?.send({ kind: 'hello', protocol: PANEL_PROTOCOL });
    this.seen();
    if (this.watched.size > 0) {
      this.sendWatched();
    }
  }

  private sendWatched(): void {
    this.channel?.send({ kind: 'watch', notebooks: [...this.watched.keys()].sort() });
  }

  private unwatch(notebook: string): void {
    const count = this.watched.get(notebook) ?? 0;
    if (count > 1) {
      this.watched.set(notebook, count - 1);
      return;
    }
    this.watched.delete(notebook);
    this.sendWatched();
    this._cells.value = Object.fromEntries(Object.entries(this._cells.value).filter(([path]) => path !== notebook));
  }

  private receive(message: PanelHostMessage): void {
    switch (message.kind) {
      case 'panel':
        this.merge(message);
        break;
      case 'ended':
        this._ended.emit(message);
        break;
      case 'cells':
        if (this.watched.has(message.notebook)) {
          this._cells.value = { ...this._cells.value, [message.notebook]: message.cells };
        }
        break;
      case 'acted':
        this.answer(message.id, message.error, message.text);
        break;
      case 'trouble':
        if (message.id !== undefined) {
          this.answer(message.id, message.message, '');
        } else {
          this.trouble({ type: 'Trouble', message: message.message });
        }
    }
  }

  private merge(told: IPanel): void {
    const before = told.whole ? {} : this._state.value?.jobs ?? {};
    const all = { ...before, ...told.jobs };
    const shown = [...told.live, ...told.recent].flatMap(key => (all[key] === undefined ? [] : [[key, all[key]] as const]));
    batch(() => {
      this._state.value = { ...told, whole: true, jobs: Object.fromEntries(shown) };
      this._problem.value = null;
    });
    this._stateChanged.emit();
    if (told.time > 0) {
      this.answered(this.cluster, told.stale_since === 0);
    }
  }

  private trouble(problem: IProblem | null): void {
    if (problem !== this._problem.value) {
      this._problem.value = problem;
      this._stateChanged.emit();
      if (problem !== null) {
        this.answered(this.cluster, false);
      }
    }
  }

  private answer(id: number, error: string, text: string): void {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    if (error === '') {
      asked?.resolve(text);
    } else {
      asked?.reject(new ClusterError({ type: 'Refused', message: error }, 409));
    }
  }

  private abandon(why: string): void {
    const all = [...this.asked.values()];
    this.asked.clear();
    all.forEach(asked => { asked.reject(new ClusterError({ type: 'NetworkError', message: why }, 0)); });
  }
}
