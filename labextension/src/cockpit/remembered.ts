// What a person chose in a cockpit, kept by the browser: which tab, how wide, which columns.
import { Memory } from '../face/memory';
import type { IGridLayout } from '../grid/grid_api';
import type { ClusterView } from '../protocol/messages';
import type { MapColour } from './map_colours';

export type TabName = 'jobs' | 'queues' | 'hosts' | 'charts';

export interface IRemembered {
  tab?: TabName;
  drawer?: number;
  map?: MapColour;
  table?: boolean;
  layouts?: Partial<Record<ClusterView, IGridLayout>>;
}

export type CockpitMemory = Memory<IRemembered>;

/** @param place - of several kinds of cockpits of one cluster, which each have a memory of their own; '' : the only one */
export function cockpitMemory(cluster: string, place = ''): CockpitMemory {
  return new Memory(cluster === '' ? 'gcs-lab' : `gcs-lab:cockpit:${cluster}${place === '' ? '' : `:${place}`}`);
}
