// What the panel's view is given by JupyterLab: its parts that are the platform's (dialogs, dragging, commands, icons).
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPanelJob } from '../../protocol/panel_messages';
import type { IClusterInfo } from '../../protocol/rest';
import type { IClusterManager } from '../tokens';
import type { Deed } from './deeds';

export type PlaceName = 'queue' | 'hosts' | 'accounting';

export type IPanelManager = Pick<
  IClusterManager, 'connection' | 'clusters' | 'current' | 'panel' | 'use' | 'refreshClusters' | 'startCluster' | 'ask'
>;

export interface IPanelPlatform {
  readonly manager: IPanelManager;
  readonly trans: TranslationBundle;
  /** SVG. */
  readonly icons: Readonly<Record<PlaceName, string>>;
  /** Open a view in the main area. */
  show(place: PlaceName): void;
  /** Do it, with whatever must be asked before; what came of it is told to the panel. */
  perform(deed: Deed, jobId: string): Promise<void>;
  /** Ask before a cluster is stopped. */
  confirmStop(cluster: IClusterInfo, jobs: number): Promise<boolean>;
  /** A job was taken by the mouse and moved. */
  drag(job: IPanelJob, at: MouseEvent): void;
}
