// What the grid offers to those who show it: the cockpit, and the widget that shows one table.
import type { IColumn, IRows, IViewRequest, SortOrder, ViewName } from '../protocol/messages';
import type { WallClock } from './wall_clock';

/** A row as it is shown: its cells by column. */
export interface IGridRow {
  key: string;
  level: number;
  cells: Record<string, IRows['rows'][string][number]>;
}

/** `clock` is what times are shown by: without one, the browser's. */
export interface IGridColumn extends IColumn {
  clock?: WallClock;
}

export interface IGridOptions {
  view: ViewName;
  /** For a screen reader: "jobs of the cluster demo". */
  label: string;
  columns: IGridColumn[];
  /** Names of the columns to show and their order, widths and sort, as `layout()` gave them out; else the defaults. */
  layout?: IGridLayout | undefined;
  /** Whether rows can be expanded, and many be selected. */
  expandable: boolean;
  selectable: boolean;
  /** Carries a request to the host. */
  request(request: IViewRequest): void;
  /** Somebody opened a row (Enter, double click): the row, or null when it is closed (Escape). */
  open(row: IGridRow | null): void;
  selected(keys: string[]): void;
  /** Somebody asks for the rows as text (Ctrl+C, menu). */
  copy(format: 'text' | 'csv' | 'qdel', keys: string[] | 'matching', columns: string[]): void;
  /** A click on a value that others are narrowed by: ('owner', 'alice'). Columns: owner, queue, host, project, department, state. */
  narrow(column: string, value: string): void;
  /** Columns, widths or sort were changed by the user. */
  changed(layout: IGridLayout): void;
  /** The menu of a row (right click, Menu key, Shift+F10): where to put it, and the keys it is about. */
  menu?(x: number, y: number, keys: string[]): void;
  /** The filter that counts for these rows, to say why there are none; and the way out. */
  filter?(): string;
  clearFilter?(): void;
}

export interface IGridLayout {
  columns: { name: string; width: number }[];
  sort: [string, SortOrder][];
}

/** What {@link Grid} in grid.ts implements. */
export interface IGrid {
  readonly node: HTMLElement;
  /** The host's answer or push; those of another view are not for it. */
  receive(rows: IRows): void;
  /** Ask anew for all (after a reconnection, with `anew`; after a change of the filter, from the first row). */
  refresh(anew: boolean): void;
  toTop(): void;
  layout(): IGridLayout;
  /** Keys of the rows that were selected one by one; with {@link selectedAll} those of them that were seen. */
  selection(): string[];
  /** Whether all rows that match are selected (Ctrl+A), also those that the browser has never seen. */
  selectedAll(): boolean;
  clearSelection(): void;
  /** The row with a key, if it is in the window. */
  row(key: string): IGridRow | undefined;
  /** The rows are old: said by a note, not by taking them away. */
  setStale(stale: boolean): void;
  focus(): void;
  dispose(): void;
}
