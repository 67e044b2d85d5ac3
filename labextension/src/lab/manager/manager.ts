// What all parts of the extension share: whether the server answers, its clusters, the one line, and my jobs.
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { signal } from '@preact/signals';

import type { FaceName, IFaceStart } from '../../protocol/envelope';
import type { PanelClientMessage, PanelHostMessage } from '../../protocol/panel_messages';
import type { IAbout, IClusterInfo } from '../../protocol/rest';
import type { IClusterManager, IConnectionState, IFaceChannel } from '../tokens';
import { ClusterError } from '../tokens';
import { PanelModel } from './panel_model';
import type { IQuestion } from './rest';
import { RestClient } from './rest';
import { Session } from './session';

/** Somebody may enable the server extension, and start the server again, while the page is open. */
const MISSING_CHECK = 60_000;

export interface IManagerOptions {
  settings: ServerConnection.ISettings;
  trans: TranslationBundle;
  /** Of this page. */
  version: string;
  /** Which cluster was used last; '' if none is remembered. */
  recall?: () => Promise<string>;
  remember?: (cluster: string) => void;
}

export class ClusterManager implements IClusterManager {
  readonly connection = signal<IConnectionState>({ status: 'connecting', text: '', about: null });
  readonly clusters = signal<readonly IClusterInfo[]>([]);
  readonly current = signal('');
  readonly panel: PanelModel;
  private readonly _connectionChanged = new Signal<this, IConnectionState>(this);
  private readonly _currentChanged = new Signal<this, string>(this);
  private readonly rest: RestClient;
  private readonly session: Session;
  private readonly trans: TranslationBundle;
  private about: IAbout | null = null;
  private checking: Promise<void> | null = null;
  private recheck: ReturnType<typeof setTimeout> | undefined;
  private lost = false;
  /** Which difference between the panel and the list of clusters was looked into last. */
  private compared = '';
  /** The server did not answer for a while. */
  private stale = false;

  constructor(private readonly options: IManagerOptions) {
    const { settings, trans, version } = options;
    this.trans = trans;
    this.rest = new RestClient(settings, trans);
    this.session = new Session(
      () => new settings.WebSocket(socketAddress(settings)), version,
      {
        greeted: (told, fits) => { this.greeted(told, fits); },
        lost: () => { this.lost = true; void this.check(); }
      },
      () => this.connection.value.text
    );
    this.panel = new PanelModel(
      (cluster, seen) => this.open<PanelClientMessage, PanelHostMessage>('panel', { cluster, ...(seen ? {} : { wake: false }) }), trans,
      (cluster, well) => { this.compare(cluster, well); }
    );
  }

  get connectionChanged(): ISignal<this, IConnectionState> {
    return this._connectionChanged;
  }

  get currentChanged(): ISignal<this, string> {
    return this._currentChanged;
  }

  /** Nothing has been asked before this. */
  async start(): Promise<void> {
    this.session.start();
    const remembered = await this.options.recall?.() ?? '';
    if (this.current.value === '' && remembered !== '') {
      this.choose(remembered);
    }
    // Why clusters are not known is said by the connection's state, and to whoever asks for them.
    await Promise.all([this.check(), this.refreshClusters().catch(() => undefined)]);
  }

  dispose(): void {
    clearTimeout(this.recheck);
    this.panel.dispose();
    this.session.stop();
    Signal.clearData(this);
  }

  use(cluster: string): void {
    this.choose(cluster);
    this.options.remember?.(cluster);
  }

  async refreshClusters(): Promise<readonly IClusterInfo[]> {
    const clusters = await this.ask<IClusterInfo[]>('GET', 'clusters');
    this.clusters.value = clusters;
    if (!clusters.some(one => one.name === this.current.value)) {
      this.choose((clusters.find(one => one.chosen) ?? clusters[0])?.name ?? '');
    }
    clusters.filter(one => one.state === 'running').forEach(one => { this.session.retryFailed(one.name); });
    return clusters;
  }

  async startCluster(name: string): Promise<void> {
    await this.ask('POST', `clusters/${encodeURIComponent(name)}/start`, { body: {} });
    this.use(name);
    await this.refreshClusters();
  }

  open<Out, In>(face: FaceName, start: IFaceStart): IFaceChannel<Out, In> {
    return this.session.open(face, start) as unknown as IFaceChannel<Out, In>;
  }

  async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: IQuestion): Promise<T> {
    try {
      return await this.rest.ask<T>(method, path, options);
    } catch (why) {
      if (why instanceof ClusterError && why.status === 0) {
        // The line may not know yet.
        this.session.hurry();
      }
      throw why;
    }
  }

  private choose(cluster: string): void {
    if (cluster !== this.current.value) {
      this.current.value = cluster;
      this.panel.use(cluster);
      this._currentChanged.emit(cluster);
    }
  }

  /** The embedded cluster starts when it is first asked; and a cluster may stop at any time. */
  private compare(name: string, well: boolean): void {
    const known = this.clusters.value.find(one => one.name === name);
    if (known !== undefined && (known.state === 'running') !== well && this.compared !== `${name} ${well}`) {
      this.compared = `${name} ${well}`;
      this.refreshClusters().catch(() => undefined);
    }
  }

  private tell(status: IConnectionState['status'], text: string, version = this.about?.version): void {
    const { connection } = this;
    if (connection.value.status !== status || connection.value.text !== text || connection.value.about !== this.about) {
      connection.value = { status, text, about: this.about, version };
      this._connectionChanged.emit(connection.value);
    }
  }

  private greeted(version: string, fits: boolean): void {
    this.lost = false;
    clearTimeout(this.recheck);
    if (!fits || (version !== this.options.version && this.options.version !== '')) {
      this.tell('old', this.otherVersion(version), version);
      return;
    }
    this.tell('connected', '');
    if (this.stale) {
      void this.check();
    }
  }

  /** Ask what the server is, and if it does not say so, why. */
  private check(): Promise<void> {
    this.checking ??= this.look().finally(() => { this.checking = null; });
    return this.checking;
  }

  private async look(): Promise<void> {
    try {
      this.about = await this.rest.ask<IAbout>('GET', 'about');
    } catch (why) {
      this.about = null;
      this.stale = true;
      this.explain(why);
      return;
    }
    if (this.stale) {
      // Another server perhaps, with other clusters.
      this.stale = false;
      this.refreshClusters().catch(() => undefined);
    }
    if (this.about.version !== this.options.version && this.options.version !== '') {
      this.tell('old', this.otherVersion(this.about.version), this.about.version);
    } else if (this.lost && !this.session.connected) {
      this.tell('lost', this.trans.__(
        'The Jupyter server answers, but its WebSocket cannot be reached. A proxy between here and there may not let it through. It is tried again.'
      ));
    } else {
      this.tell('connected', '');
    }
  }

  private explain(why: unknown): void {
    if (!(why instanceof ClusterError)) {
      this.tell('lost', String(why));
    } else if (why.status === 404) {
      // Its line would be refused for ever.
      this.session.stop();
      clearTimeout(this.recheck);
      this.recheck = setTimeout(() => { this.session.start(); void this.check(); }, MISSING_CHECK);
      this.tell('missing', this.trans.__(
        'The page has gcs_lab, but the Jupyter server does not: its half is switched off or missing, or was installed after the server was started. ' +
          'Run `jupyter server extension enable gcs_lab` where the server runs, and start the server again; `gcs-lab doctor` there tells what is wrong.'
      ));
    } else if (why.status === 0 || why.problem.type === 'NetworkError') {
      this.tell('lost', this.trans.__('%1 It is tried again.', why.message));
    } else {
      this.tell('lost', why.message);
    }
  }

  private otherVersion(server: string): string {
    return this.trans.__(
      'This page has version %1 of gcs_lab, the Jupyter server version %2. Reload the page; if it stays so, start the Jupyter server again. ' +
        'If that does not help, two installations differ: `pip install --upgrade gcs-lab` where the server runs, and `gcs-lab doctor`.',
      this.options.version, server
    );
  }
}

function socketAddress(settings: ServerConnection.ISettings): string {
  const address = URLExt.join(settings.wsUrl, 'gcs-lab/channels');
  return settings.appendToken && settings.token !== '' ? `${address}?token=${encodeURIComponent(settings.token)}` : address;
}
