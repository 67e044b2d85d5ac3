// What this extension gives to its own plugins and to other extensions.
import type { ReadonlySignal } from '@preact/signals';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { FaceName, IFaceStart, IProblem } from '../protocol/envelope';
import type { IChannel } from '../protocol/messages';
import type { ICells, IEnded, IPanel, IPanelJob, PanelAction } from '../protocol/panel_messages';
import type { IAbout, IClusterInfo } from '../protocol/rest';

/** Connected to the server's clusters: one WebSocket a page, and REST. */
export interface IClusterManager {
  /** Whether the server answers, and if not why, for people. */
  readonly connection: ReadonlySignal<IConnectionState>;
  readonly connectionChanged: ISignal<IClusterManager, IConnectionState>;
  /** What can be used from here; asked anew by {@link refreshClusters}. */
  readonly clusters: ReadonlySignal<readonly IClusterInfo[]>;
  /** The cluster that the panel shows, remembered by JupyterLab; '' while none is known. */
  readonly current: ReadonlySignal<string>;
  readonly currentChanged: ISignal<IClusterManager, string>;
  readonly panel: IPanelModel;

  use(cluster: string): void;
  refreshClusters(): Promise<readonly IClusterInfo[]>;
  /** Start a cluster that is `startable`, and use it. Rejects with a {@link ClusterError}. */
  startCluster(name: string): Promise<void>;
  /** A channel to a host in the server, over the one WebSocket; it is opened again after the line was lost. */
  open<Out, In>(face: FaceName, start: IFaceStart): IFaceChannel<Out, In>;
  /** Ask the REST interface: `path` after `gcs-lab/api/`, `query` with undefined left out. Rejects with a {@link ClusterError}. */
  ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: { query?: Record<string, string | number | undefined>; body?: unknown; signal?: AbortSignal }): Promise<T>;
}

export interface IFaceChannel<Out, In> extends IChannel<Out, In> {
  /** Why the server could not open the host, or ended it (`failed`); null: it is there, is being opened, or the line is lost. */
  readonly problem: ReadonlySignal<IProblem | null>;
  /** Open it again after a problem; else nothing. */
  retry(): void;
  dispose(): void;
}

export interface IConnectionState {
  /** `missing`: JupyterLab answers, but the server extension does not (half-installed). `old`: of another version. */
  status: 'connecting' | 'connected' | 'lost' | 'missing' | 'old';
  /** What to do, for people; '' if connected. */
  text: string;
  about: IAbout | null;
  /** The version of the server's half, which its WebSocket tells before it is asked. */
  version?: string | undefined;
}

/** My jobs on the current cluster, shared by panel, status bar, notifications and badges. */
export interface IPanelModel {
  /** The last whole picture; null: nothing was told yet. `jobs` is complete here. */
  readonly state: ReadonlySignal<IPanel | null>;
  /** Of each watched notebook, by path. */
  readonly cells: ReadonlySignal<Readonly<Record<string, ICells['cells']>>>;
  /** Why there is nothing: the server refused to open the panel's channel. */
  readonly problem: ReadonlySignal<IProblem | null>;
  readonly stateChanged: ISignal<IPanelModel, void>;
  readonly ended: ISignal<IPanelModel, IEnded>;
  job(jobId: string): IPanelJob | null;
  /** Resolves with what was done, for people; rejects with a {@link ClusterError}. */
  act(action: PanelAction, jobId: string): Promise<string>;
  /** Tell the cells of this notebook until it is disposed of. */
  watch(notebook: string): { dispose(): void };
  refresh(): void;
  /** Somebody sees my jobs: from now on the embedded cluster is started for it, unless it was stopped from a page. */
  shown(): void;
}

/** The server refused, or does not answer. */
export class ClusterError extends Error {
  constructor(readonly problem: IProblem, readonly status: number) {
    super(problem.message);
  }
}

export const IClusterManager = new Token<IClusterManager>(
  'gcs-lab:IClusterManager',
  'Clusters that the Jupyter server reaches: their jobs, live; hosts of cockpit and explorer; REST.'
);

/** Opens views; by the plugin of the main area. */
export interface IClusterViews {
  openQueue(cluster?: string, filter?: string): void;
  openAccounting(cluster?: string): void;
  openHosts(cluster?: string): void;
  openJob(cluster: string, jobId: string, task?: number | null): void;
}

export const IClusterViews = new Token<IClusterViews>('gcs-lab:IClusterViews', 'Opens views of clusters in the main area.');
