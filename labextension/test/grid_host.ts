// A host for tests of the grid: a table in memory that answers requests as the kernel does.
import type { Cell, ClientMessage, IColumn, IRows, IViewRequest } from '../src/protocol/messages';

export type TestCells = Record<string, Cell | number[]>;

export interface ITestRow {
  key: string;
  level: number;
  cells: TestCells;
}

export const COLUMNS: IColumn[] = [
  column('job_id', 'Job', 'text'),
  column('name', 'Name', 'text'),
  column('owner', 'Owner', 'text'),
  column('letters', 'State', 'state'),
  column('tasks', 'Tasks', 'tasks'),
  column('slots', 'Slots', 'count'),
  column('submission_time', 'Submitted', 'time'),
  { ...column('requests', 'Requests', 'text'), shown: false, sortable: false }
];

function column(name: string, label: string, type: IColumn['type']): IColumn {
  return { name, label, type, width: 100, shown: true, sortable: true, help: `${label}.` };
}

export function makeRow(number: number, different: TestCells = {}): ITestRow {
  return {
    key: String(BigInt(number) << 32n),
    level: 1,
    cells: {
      job_id: String(number), name: `job${number}`, owner: 'alice', letters: 'r', state: 'RUNNING', array: false,
      tasks: [1, 0, 0, 0, 0], slots: number % 10, submission_time: 1_700_000_000 + number, requests: null, ...different
    }
  };
}

export class TestHost {
  requests: IViewRequest[] = [];
  version = 1;
  private told = new Map<string, string>();

  constructor(public rows: ITestRow[]) {}

  readonly take = (message: ClientMessage): void => {
    if (message.kind === 'view') {
      this.requests.push(message);
    }
  };

  get last(): IViewRequest {
    const last = this.requests.at(-1);
    if (last === undefined) {
      throw new Error('nothing was asked for');
    }
    return last;
  }

  /** What the last request, or a change since, makes the host say. */
  answer(): IRows {
    const { id, first, count, columns, anew } = this.last;
    if (anew) {
      this.told.clear();
      this.last.anew = false;
    }
    const window = this.rows.slice(first, first + count);
    const cells = new Map(window.map(row => [row.key, columns.map(name => row.cells[name] ?? null)]));
    const now = new Map([...cells].map(([key, values]) => [key, JSON.stringify(values)]));
    const news = [...cells].filter(([key]) => this.told.get(key) !== now.get(key));
    this.told = now;
    return {
      kind: 'rows', view: 'jobs', id, version: this.version, total: this.rows.length, matching: this.rows.length, first,
      keys: window.map(row => row.key), levels: window.map(row => row.level), columns, rows: Object.fromEntries(news)
    };
  }

  /** The table changes. */
  change(how: (rows: ITestRow[]) => ITestRow[]): IRows {
    this.version += 1;
    this.rows = how(this.rows);
    return this.answer();
  }
}
