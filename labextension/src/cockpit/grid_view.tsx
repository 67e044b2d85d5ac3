// The grid of one view within the cockpit.
import { useEffect, useRef } from 'preact/hooks';

import { Grid } from '../grid/grid';
import type { IGridRow } from '../grid/grid_api';
import type { ClusterView } from '../protocol/messages';
import { copyText } from '../card/clipboard';
import { wordsOf } from '../face/connection';
import type { CockpitStore } from './store';

interface IGridView {
  store: CockpitStore;
  view: ClusterView;
  label: string;
  /** Whether its tab is the one that is seen; else the host need not keep it up to date. */
  shown: boolean;
  selectable?: boolean;
  open?(row: IGridRow | null): void;
  selected?(keys: string[]): void;
  menu?(x: number, y: number, keys: string[]): void;
}

export function GridView(props: IGridView) {
  const { store, view, label, shown, selectable = false } = props;
  const place = useRef<HTMLDivElement>(null);
  const events = useRef(props);
  events.current = props;
  const ever = useRef(false);
  ever.current ||= shown;
  const columns = store.welcome.value?.columns[view];
  // A host that is there again tells the same columns again: the grid stays.
  const told = JSON.stringify(columns ?? null);
  useEffect(() => {
    if (place.current === null || columns === undefined || !ever.current) {
      return undefined;
    }
    const grid = new Grid({
      view,
      label: `${label} of the cluster ${store.welcome.value?.cluster ?? ''}`,
      columns,
      layout: store.memory.get('layouts')?.[view],
      expandable: view === 'jobs',
      selectable,
      request: request => { store.request(request); },
      open: row => { events.current.open?.(row); },
      selected: keys => { events.current.selected?.(keys); },
      copy: (format, keys, names) => { void copyRows(store, view, format, keys, names); },
      filter: () => [store.filter.value, store.mine.value ? '(my jobs)' : ''].filter(one => one !== '').join(' '),
      clearFilter: () => { store.setFilter('', false); },
      narrow: (column, value) => { store.narrow(column, value); },
      changed: layout => { store.memory.set({ layouts: { ...store.memory.get('layouts'), [view]: layout } }); },
      ...(props.menu === undefined ? {} : { menu: (x, y, keys) => { events.current.menu?.(x, y, keys); } })
    });
    place.current.append(grid.node);
    const end = store.addGrid(view, grid);
    return () => {
      end();
      grid.dispose();
      grid.node.remove();
    };
  }, [told, ever.current]);
  useEffect(() => { store.showGrid(view, shown); }, [shown]);
  return <div class="gcs-grid-place" ref={place} />;
}

export async function copyRows(
  store: CockpitStore, view: ClusterView, format: 'text' | 'csv' | 'qdel', keys: string[] | 'matching', columns: string[]
): Promise<void> {
  try {
    const copied = await store.connection.ask('copy', { view, format, keys, columns });
    const done = await copyText(copied.text);
    if (done) {
      store.note(`Copied ${copied.rows} ${copied.rows === 1 ? 'row' : 'rows'}.`);
    } else {
      store.note('The browser gives this page no access to the clipboard: nothing was copied.', true);
    }
  } catch (why) {
    store.note(wordsOf(why), true);
  }
}
