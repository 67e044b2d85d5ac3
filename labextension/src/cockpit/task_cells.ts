// The tasks of an array as cells of a strip: as many tasks to a cell as there must be.

/** More cells than these are not told apart. */
const MOST_CELLS = 2000;
/** The state that a cell of several tasks shows: the first of these that one of them is in. '': it has ended. */
const WEIGHT = ['ERROR', 'RUNNING', 'SUSPENDED', 'QUEUED_HELD', 'REQUEUED_HELD', 'QUEUED', 'REQUEUED', 'UNDETERMINED', ''];

/** Runs as the host tells them: state, how many tasks, index of the first. */
export type Runs = [string, number, number][];

export interface ICell {
  state: string;
  /** Index of the first task in that state. */
  task: number;
  /** Index of the first and the last task. */
  first: number;
  last: number;
  counts: Record<string, number>;
}

/** How far apart the indices of neighbours are (`-t 1-100:5`), as far as the runs tell it. */
export function stepOf(runs: Runs): number {
  for (let at = 0; at + 1 < runs.length; at += 1) {
    const [, count = 1, first = 0] = runs[at] ?? [];
    const step = ((runs[at + 1]?.[2] ?? 0) - first) / count;
    if (Number.isInteger(step) && step > 0) {
      return step;
    }
  }
  return 1;
}

export function cellsOf(runs: Runs): ICell[] {
  const total = runs.reduce((sum, [, count]) => sum + count, 0);
  const perCell = Math.max(1, Math.ceil(total / MOST_CELLS));
  const step = stepOf(runs);
  const cells: ICell[] = [];
  let room = 0;
  for (const [state, count, first] of runs) {
    let done = 0;
    while (done < count) {
      const index = first + done * step;
      if (room === 0) {
        cells.push({ state, task: index, first: index, last: index, counts: {} });
        room = perCell;
      }
      const cell = cells.at(-1);
      const taken = Math.min(room, count - done);
      if (cell !== undefined) {
        cell.counts[state] = (cell.counts[state] ?? 0) + taken;
        cell.last = index + (taken - 1) * step;
        if (weight(state) < weight(cell.state)) {
          cell.state = state;
          cell.task = index;
        }
      }
      done += taken;
      room -= taken;
    }
  }
  return cells;
}

function weight(state: string): number {
  const place = WEIGHT.indexOf(state);
  return place < 0 ? WEIGHT.length : place;
}
