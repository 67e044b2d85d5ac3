// The menus of the grid: what to copy, which columns there are, what can be done with one.
import type { IColumn } from '../protocol/messages';
import type { Grid } from './grid';
import { below, openMenu, type IMenuItem } from './popup_menu';

interface IPoint {
  x: number;
  y: number;
}

export function copyMenu(grid: Grid): void {
  const meant = grid.meant();
  const some = meant === 'matching' ? 'all that match' : meant.length === 1 ? '1 row' : `${meant.length} rows`;
  const none = meant.length === 0;
  const rows: IMenuItem[] = [
    { label: `Copy ${some} as text`, off: none, press: () => { grid.copy('text', meant); } },
    { label: `Copy ${some} as CSV`, off: none, press: () => { grid.copy('csv', meant); } },
    { label: 'Copy all that match as CSV', off: grid.rows() === 0, press: () => { grid.copy('csv', 'matching'); } }
  ];
  const qdel: IMenuItem = { label: `Copy the qdel line of ${some}`, off: none, press: () => { grid.copy('qdel', meant); } };
  openMenu(grid.node, below(grid.footer.copy), 'copy', () => (grid.options.view === 'jobs' ? [...rows, null, qdel] : rows));
}

export function columnsMenu(grid: Grid, at: IPoint): void {
  const shown = (name: string) => grid.columns.columns.some(column => column.name === name);
  const choice = (column: IColumn): IMenuItem => ({
    label: column.label, checked: shown(column.name), press: () => { grid.arrange(() => { grid.columns.toggle(column.name); }); }
  });
  openMenu(grid.node, at, 'columns', () => [
    ...grid.columns.all.map(choice), null,
    { label: 'Reset columns, widths and sort', press: () => { grid.sort(() => { grid.columns.reset(); }); } }
  ]);
}

export function columnMenu(grid: Grid, name: string, at: IPoint): void {
  const { columns } = grid;
  const column = columns.find(name);
  if (column === undefined) {
    return;
  }
  const sorts: (IMenuItem | null)[] = column.sortable
    ? [
        { label: 'Sort ascending', press: () => { grid.sort(() => { columns.setSort(name, 'ascending', false); }); } },
        { label: 'Sort descending', press: () => { grid.sort(() => { columns.setSort(name, 'descending', false); }); } },
        { label: 'Do not sort', off: columns.sort.length === 0, press: () => { grid.sort(() => { columns.sort = []; }); } },
        null
      ]
    : [];
  openMenu(grid.node, at, `column ${column.label}`, () => [
    ...sorts,
    { label: 'Fit the width', press: () => { grid.fit(name); } },
    { label: 'Move left (Alt+Shift+←)', press: () => { grid.arrange(() => { columns.move(name, -1); }); } },
    { label: 'Move right (Alt+Shift+→)', press: () => { grid.arrange(() => { columns.move(name, 1); }); } },
    { label: `Hide ${column.label}`, off: columns.columns.length === 1, press: () => { grid.arrange(() => { columns.toggle(name); }); } },
    null,
    { label: 'Choose columns…', press: () => { columnsMenu(grid, at); } }
  ]);
}
