// What the browser knows of a table: the rows of the window that the host was asked for.
import type { IRows, IViewRequest, SortOrder, ViewName } from '../protocol/messages';
import type { IGridRow } from './grid_api';

/** Rows that are kept beside those of the window: the host may think of them as told. */
const MOST_KEPT = 4000;

type CellValue = IGridRow['cells'][string];

/** What was done with an answer. */
export type Taken =
  | 'shown' // the rows are those that are to be shown now
  | 'old' // an answer to a question that was changed since, or that another asked
  | 'torn'; // it speaks of rows that were never told: all must be asked for anew

export class RowStore {
  total = -1;
  matching = -1;
  leftOut = 0;
  version = -1;
  first = 0;
  keys: string[] = [];
  private levels: number[] | undefined;
  private readonly told = new Map<string, Record<string, CellValue>>();
  /** Numbers of a grid's requests: several views of one widget hear all that its host says. */
  private readonly firstId = Math.floor(Math.random() * 2 ** 20) * 2 ** 32;
  private lastId = this.firstId;
  /** Answers to earlier questions have another order, filter or columns. */
  private leastId = 0;
  private asked = { first: -1, count: 0 };

  constructor(private readonly view: ViewName) {}

  /** Whether anything was told yet. */
  get ready(): boolean {
    return this.version >= 0;
  }

  request(
    window: { first: number; count: number },
    sort: [string, SortOrder][],
    columns: string[],
    expanded: Iterable<string>,
    how: { anew?: boolean; other?: boolean }
  ): IViewRequest {
    this.lastId += 1;
    if (how.anew === true || how.other === true) {
      this.leastId = this.lastId;
    }
    if (how.anew === true) {
      this.told.clear();
    }
    this.asked = window;
    return {
      kind: 'view', view: this.view, id: this.lastId, sort, ...window, columns, expanded: [...expanded], anew: how.anew === true
    };
  }

  get id(): number {
    return this.lastId;
  }

  /** Whether the last request covers the rows from `first` to before `end`. */
  covers(first: number, end: number): boolean {
    return this.asked.first >= 0 && this.asked.first <= first && end <= this.asked.first + this.asked.count;
  }

  take(rows: IRows): Taken {
    if (rows.id < this.firstId || rows.id > this.lastId) {
      return 'old';
    }
    for (const [key, cells] of Object.entries(rows.rows)) {
      // Another object: who drew the row sees at a glance that it is to be drawn again.
      const known = this.told.get(key);
      const row = { ...known };
      rows.columns.forEach((column, place) => { row[column] = cells[place] ?? null; });
      // The rows that were told last stand at the end.
      if (known !== undefined) {
        this.told.delete(key);
      }
      this.told.set(key, row);
    }
    if (rows.id < this.leastId) {
      return 'old';
    }
    this.total = rows.total;
    this.matching = rows.matching;
    this.leftOut = rows.left_out ?? 0;
    this.version = rows.version;
    this.first = rows.first;
    this.keys = rows.keys;
    this.levels = rows.levels;
    const torn = this.keys.some(key => !this.told.has(key));
    this.forget();
    return torn ? 'torn' : 'shown';
  }

  keyAt(index: number): string | undefined {
    return this.keys[index - this.first];
  }

  indexOf(key: string): number {
    const place = this.keys.indexOf(key);
    return place < 0 ? -1 : this.first + place;
  }

  rowAt(index: number): IGridRow | undefined {
    const key = this.keyAt(index);
    const cells = key === undefined ? undefined : this.told.get(key);
    if (key === undefined || cells === undefined) {
      return undefined;
    }
    return { key, level: this.levels?.[index - this.first] ?? 1, cells };
  }

  row(key: string): IGridRow | undefined {
    const index = this.indexOf(key);
    return index < 0 ? undefined : this.rowAt(index);
  }

  private forget(): void {
    if (this.told.size <= MOST_KEPT) {
      return;
    }
    const shown = new Set(this.keys);
    for (const key of this.told.keys()) {
      if (this.told.size <= MOST_KEPT / 2) {
        break;
      }
      if (!shown.has(key)) {
        this.told.delete(key);
      }
    }
  }
}

/** Columns that the grid, and who shows it, need of rows besides those that are shown. */
const NEEDED: Record<ViewName, readonly string[]> = {
  jobs: ['job_id', 'array', 'state', 'letters', 'owner', 'tasks'],
  queues: ['queue'],
  queue_instances: ['queue', 'host'],
  hosts: ['host'],
  records: ['job_id', 'owner']
};

export function neededColumns(view: ViewName, shown: string[]): string[] {
  return [...shown, ...NEEDED[view].filter(name => !shown.includes(name))];
}

/** Whether a row is an array job, whose tasks can be shown below it. */
export function isArray(row: IGridRow): boolean {
  const { array, tasks } = row.cells;
  if (row.level > 1) {
    return false;
  }
  return typeof array === 'boolean' ? array : Array.isArray(tasks) && tasks.reduce((sum, count) => sum + count, 0) > 1;
}
