// Rows of the grid as what an action is about.
import type { IGridRow } from '../grid/grid_api';
import type { Cell, Target } from '../protocol/messages';

/** Rows that stand for several tasks which wait together have keys from here on: gcs_lab/status/keys.py. */
const TOGETHER = 1n << 31n;
const UPPER = 32n;

/** What is known of a selected row; rows outside the window are known by their key alone. */
export interface IChosen {
  key: string;
  target: Target;
  /** '' where it is not known. */
  owner: string;
  /** Tasks that it stands for, as far as they are known. */
  tasks: number;
  /** Whether it stands for tasks that wait together: no action can name them. */
  together: boolean;
}

export function chosen(key: string, row: IGridRow | undefined): IChosen {
  const number = BigInt(key);
  const lower = number & ((1n << UPPER) - 1n);
  const together = lower >= TOGETHER;
  const task = lower === 0n || together ? null : Number(lower);
  const told = row?.cells.job_id;
  return {
    key,
    target: { job_id: typeof told === 'string' ? told : String(number >> UPPER), task },
    owner: typeof row?.cells.owner === 'string' ? row.cells.owner : '',
    tasks: task === null ? countOf(row?.cells.tasks) : 1,
    together
  };
}

function countOf(cell: Cell | number[] | undefined): number {
  if (Array.isArray(cell)) {
    return cell.reduce((sum, count) => sum + count, 0);
  }
  return typeof cell === 'number' ? cell : 1;
}
