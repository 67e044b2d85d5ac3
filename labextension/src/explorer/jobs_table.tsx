// The jobs behind the figures: the grid, following the filter, the period and what was drawn around.
import { useEffect, useRef } from 'preact/hooks';

import { copyText } from '../card/clipboard';
import { formatCount } from '../card/figures';
import { wordsOf } from '../face/connection';
import { Icon } from '../face/parts';
import { Grid } from '../grid/grid';
import { openMenu } from '../grid/popup_menu';
import { WallClock } from '../grid/wall_clock';
import type { ExplorerStore } from './store';

const DOWN = 'M4 6l4 4.5L12 6';
const RIGHT = 'M6 4l4.5 4L6 12';

export function JobsTable({ store, id }: { store: ExplorerStore; id: string }) {
  const always = store.state.value.tab === 'jobs';
  const open = store.table.value || always;
  const [total, matching, leftOut] = store.totals.value;
  const all = matching + leftOut;
  const count = total < 0 ? '' : all === total ? formatCount(total) : `${formatCount(all)} of ${formatCount(total)}`;
  return (
    <section class={`gcs-jobs${always ? ' gcs-alone' : ''}`} aria-labelledby={`${id}-jobs`}>
      <h3 id={`${id}-jobs`}>
        {always
          ? <span>Jobs <span class="gcs-unit">{count}</span></span>
          : (
            <button type="button" class="gcs-fold" aria-expanded={open} aria-controls={`${id}-jobs-grid`} onClick={() => { store.setTable(!open); }}>
              <Icon path={open ? DOWN : RIGHT} />Jobs <span class="gcs-unit">{count}{store.state.value.lasso === null ? '' : ' drawn around'}</span>
            </button>
          )}
      </h3>
      <div id={`${id}-jobs-grid`} class="gcs-jobs-grid" hidden={!open}><RecordsGrid store={store} shown={open} /></div>
    </section>
  );
}

function RecordsGrid({ store, shown }: { store: ExplorerStore; shown: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const ever = useRef(false);
  ever.current ||= shown;
  const columns = store.welcome.value?.columns;
  // A host that is there again tells the same columns again: the grid stays.
  const told = JSON.stringify(columns ?? null);
  useEffect(() => {
    if (place.current === null || columns === undefined || !ever.current) {
      return undefined;
    }
    const clock = new WallClock(time => store.clock.peek().aheadAt(time));
    const grid: Grid = new Grid({
      view: 'records',
      label: `jobs in the accounting of ${store.welcome.value?.cluster ?? ''}`,
      columns: columns.map(column => ({ ...column, clock })),
      layout: store.memory.get('layout'),
      expandable: false,
      selectable: true,
      request: request => { store.request(request); },
      open: () => undefined,
      selected: () => undefined,
      copy: (format, keys, names) => { void copyRecords(store, format === 'csv' ? 'csv' : 'text', keys, names); },
      filter: () => [store.state.value.filter, store.state.value.lasso === null ? '' : '(drawn around)'].filter(one => one !== '').join(' '),
      clearFilter: () => { store.narrow({ filter: '', lasso: null }); },
      narrow: (column, value) => { store.click([`${column}:${JSON.stringify(value)}`]); },
      changed: layout => { store.memory.set({ layout }); },
      menu: (x, y, keys) => {
        const host = grid.node.closest<HTMLElement>('.gcs-face');
        if (host !== null) {
          const names = grid.layout().columns.map(column => column.name);
          openMenu(host, { x, y }, `${formatCount(keys.length)} records`, () => (['text', 'csv'] as const).map(format => (
            { label: format === 'csv' ? 'Copy as CSV' : 'Copy as text', off: !store.live.value, press: () => { void copyRecords(store, format, keys, names); } }
          )));
        }
      }
    });
    place.current.append(grid.node);
    const end = store.addGrid(grid);
    return () => {
      end();
      grid.dispose();
      grid.node.remove();
    };
  }, [told, ever.current]);
  useEffect(() => { store.showGrid(shown); }, [shown]);
  return <div class="gcs-grid-place" ref={place} />;
}

async function copyRecords(store: ExplorerStore, format: 'text' | 'csv', keys: string[] | 'matching', columns: string[]): Promise<void> {
  try {
    const copied = await store.connection.ask('copy', { view: 'records', format, keys, columns });
    if (await copyText(copied.text)) {
      store.book.note(`Copied ${formatCount(copied.rows)} ${copied.rows === 1 ? 'record' : 'records'}.`);
    } else {
      store.book.note('The browser gives this page no access to the clipboard: nothing was copied.', true);
    }
  } catch (why) {
    store.book.note(wordsOf(why), true);
  }
}
