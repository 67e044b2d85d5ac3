// Which columns are shown, in which order and how wide, and what the table is sorted by.
import type { ColumnType, IColumn, SortOrder } from '../protocol/messages';
import type { IGridLayout } from './grid_api';

export const LEAST_WIDTH = 44;
const MOST_WIDTH = 900;
/** Of these the largest or latest is what one looks for first. */
const LARGEST_FIRST: ReadonlySet<ColumnType> = new Set(['count', 'number', 'time', 'duration', 'bytes', 'tasks', 'slots']);

export class ColumnLayout {
  /** Another array whenever the columns or their order are others. */
  columns: readonly IColumn[] = [];
  sort: [string, SortOrder][] = [];
  private widths = new Map<string, number>();

  /** @param marks - pixels that the first column has besides its width, for what stands before its value */
  constructor(readonly all: readonly IColumn[], layout: IGridLayout | undefined, private readonly marks = 0) {
    this.reset();
    if (layout !== undefined) {
      this.take(layout);
    }
  }

  reset(): void {
    this.columns = this.all.filter(column => column.shown);
    this.widths = new Map(this.all.map(({ name, width }) => [name, width]));
    this.sort = [];
  }

  /** What is not known any more (a layout of an older version) is left out. */
  private take({ columns, sort }: IGridLayout): void {
    const shown = columns.flatMap(({ name, width }) => {
      const column = this.find(name);
      if (column !== undefined) {
        this.setWidth(name, width);
      }
      return column ?? [];
    });
    if (shown.length > 0) {
      this.columns = [...new Set(shown)];
    }
    this.sort = sort.filter(([name]) => this.find(name)?.sortable === true);
  }

  value(): IGridLayout {
    return {
      columns: this.columns.map(({ name }) => ({ name, width: this.width(name) })),
      sort: this.sort.map(([name, order]) => [name, order])
    };
  }

  find(name: string): IColumn | undefined {
    return this.all.find(column => column.name === name);
  }

  width(name: string): number {
    return this.widths.get(name) ?? LEAST_WIDTH;
  }

  setWidth(name: string, width: number): void {
    this.widths.set(name, Math.round(Math.max(LEAST_WIDTH, Math.min(MOST_WIDTH, width))));
  }

  /** For CSS grid: a column as wide as chosen, also the last one. What is left beside them stays empty. */
  template(): string {
    return this.columns.map(({ name }, place) => `${this.width(name) + (place === 0 ? this.marks : 0)}px`).join(' ');
  }

  totalWidth(): number {
    return this.columns.reduce((sum, { name }) => sum + this.width(name), this.marks);
  }

  move(name: string, by: number): void {
    const from = this.columns.findIndex(column => column.name === name);
    this.moveTo(name, from + by);
  }

  moveTo(name: string, place: number): void {
    const columns = [...this.columns];
    const from = columns.findIndex(column => column.name === name);
    const [moved] = from < 0 ? [] : columns.splice(from, 1);
    if (moved !== undefined) {
      columns.splice(Math.max(0, Math.min(columns.length, place)), 0, moved);
      this.columns = columns;
    }
  }

  /** Show or hide a column; the last one stays. A column that comes back stands where it stood at first. */
  toggle(name: string): void {
    if (this.columns.some(column => column.name === name)) {
      if (this.columns.length > 1) {
        this.columns = this.columns.filter(column => column.name !== name);
      }
      return;
    }
    const column = this.find(name);
    if (column !== undefined) {
      const before = this.all.slice(0, this.all.indexOf(column)).map(one => one.name);
      const place = this.columns.reduce((last, one, at) => (before.includes(one.name) ? at + 1 : last), 0);
      this.columns = [...this.columns.slice(0, place), column, ...this.columns.slice(place)];
    }
  }

  orderOf(name: string): SortOrder | undefined {
    return this.sort.find(([sorted]) => sorted === name)?.[1];
  }

  /** Sort by a column; again: the other way; again: not. `add`: after the columns that it is sorted by already. */
  cycleSort(name: string, add: boolean): void {
    const column = this.find(name);
    if (column?.sortable !== true) {
      return;
    }
    const first: SortOrder = LARGEST_FIRST.has(column.type) ? 'descending' : 'ascending';
    const second: SortOrder = first === 'ascending' ? 'descending' : 'ascending';
    const present = this.orderOf(name);
    const next = present === undefined ? first : present === first ? second : undefined;
    this.setSort(name, next, add);
  }

  /** @param order - undefined: not by this column */
  setSort(name: string, order: SortOrder | undefined, add: boolean): void {
    const term: [string, SortOrder][] = order === undefined ? [] : [[name, order]];
    const place = this.sort.findIndex(([sorted]) => sorted === name);
    if (!add) {
      this.sort = term;
    } else if (place < 0) {
      this.sort = [...this.sort, ...term];
    } else {
      this.sort = [...this.sort.slice(0, place), ...term, ...this.sort.slice(place + 1)];
    }
  }
}
