// What a person chose in an explorer, kept by the browser; what is shown itself is the host's to keep.
import { Memory } from '../face/memory';
import type { IGridLayout } from '../grid/grid_api';
import type { TabName } from '../protocol/explorer_messages';

export interface IRemembered {
  tab?: TabName;
  /** Whether the table of jobs is open. */
  table?: boolean;
  layout?: IGridLayout;
  /** Ground of exported pictures. */
  pictures?: 'light' | 'dark';
  /** Values that have a colour, by column; those of owners are kept for all pages of the cluster. */
  colours?: Record<string, string[]>;
}

export type ExplorerMemory = Memory<IRemembered>;

export function explorerMemory(cluster: string): ExplorerMemory {
  return new Memory(cluster === '' ? 'gcs-lab' : `gcs-lab:explorer:${cluster}`);
}
