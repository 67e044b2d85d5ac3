// What a person chose in a cockpit, kept by the browser: which tab, how wide, which columns.
import type { IGridLayout } from '../grid/grid_api';
import type { ViewName } from '../protocol/messages';
import type { MapColour } from './map_colours';

export type TabName = 'jobs' | 'queues' | 'hosts' | 'charts';

export interface IRemembered {
  tab?: TabName;
  drawer?: number;
  map?: MapColour;
  table?: boolean;
  layouts?: Partial<Record<ViewName, IGridLayout>>;
}

export class Memory {
  private values: IRemembered = {};

  constructor(private readonly name: string) {
    try {
      const read: unknown = JSON.parse(localStorage.getItem(name) ?? '{}');
      this.values = typeof read === 'object' && read !== null ? read : {};
    } catch {
      // A page without storage of its own (a sandbox), or a text that is none of ours: nothing is remembered.
    }
  }

  get<K extends keyof IRemembered>(key: K): IRemembered[K] {
    return this.values[key];
  }

  set(different: IRemembered): void {
    this.values = { ...this.values, ...different };
    try {
      localStorage.setItem(this.name, JSON.stringify(this.values));
    } catch {
      // As above: it holds until the page is left.
    }
  }
}
