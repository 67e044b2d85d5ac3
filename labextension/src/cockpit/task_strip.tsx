// The tasks of an array job: one canvas, for mouse and keyboard. It is painted as the strip of a sweep's card is.
import { useMemo } from 'preact/hooks';

import { formatCount } from '../card/figures';
import { cellAt, layoutStrip, moveBy, placeOf as cornerOf, type ILayout } from '../sweep_card/strip_layout';
import { paintStrip } from '../sweep_card/strip_paint';
import { CanvasCells, type ICellMarks } from './canvas_cells';
import { StateMark } from './state_mark';
import { inOrder, stateLook } from './state_word';
import { cellsOf, type ICell, type Runs } from './task_cells';

interface ITaskStrip {
  runs: Runs;
  /** The task that is open; null: none. */
  task: number | null;
  dark: boolean;
  name: string;
  onOpen: (task: number) => void;
}

export function TaskStrip({ runs, task, dark, name, onOpen }: ITaskStrip) {
  const cells = useMemo(() => cellsOf(runs), [JSON.stringify(runs)]);
  const opened = task === null ? -1 : cells.findIndex(one => task >= one.first && task <= one.last);
  const counts: Record<string, number> = {};
  runs.forEach(([state, count]) => { counts[state] = (counts[state] ?? 0) + count; });

  const paint = (canvas: HTMLCanvasElement, layout: ILayout, style: CSSStyleDeclaration, marks: ICellMarks) => {
    const look = { dark, text: style.color, accent: style.getPropertyValue('--gcs-accent').trim() || '#1976d2' };
    const states = cells.map(({ state }) => (state === 'ERROR' ? 'FAILED' : state));
    paintStrip(canvas, layout, devicePixelRatio, look, { ...marks, opened }, place => states[place] ?? '');
    hollow(canvas, layout, states, look.text);
  };
  return (
    <div class="gcs-task-strip">
      <ul class="gcs-key">
        {inOrder(counts).map(([state, count]) => (
          <li key={state}>
            {state === ''
              ? <><i class="gcs-hollow" /><b>{formatCount(count)}</b> ended</>
              : <StateMark state={state}><b>{formatCount(count)}</b> {wordOf(state)}</StateMark>}
          </li>
        ))}
      </ul>
      <CanvasCells
        class="gcs-strip-cells"
        label={`tasks of ${name}`}
        help="arrow keys move, Enter shows the task"
        count={cells.length}
        layout={width => layoutStrip(cells.length, width > 0 ? width : 320)}
        at={cellAt}
        move={moveBy}
        paint={paint}
        words={cell => textOf(cells[cell])}
        open={cell => {
          const chosen = cells[cell];
          if (chosen !== undefined) {
            onOpen(chosen.task);
          }
        }}
        below={cell => <p class="gcs-readout gcs-dim" aria-hidden="true">{cell < 0 ? 'Choose a task to see it alone.' : textOf(cells[cell])}</p>}
      />
    </div>
  );
}

/** Tasks that have left the queue: how they ended is not known here, so no state is drawn. */
function hollow(canvas: HTMLCanvasElement, layout: ILayout, states: string[], colour: string): void {
  const context = canvas.getContext('2d');
  if (context === null) {
    return;
  }
  const ratio = devicePixelRatio;
  context.strokeStyle = colour;
  context.globalAlpha = 0.3;
  context.lineWidth = ratio;
  states.forEach((state, place) => {
    if (state === '') {
      const [left, top] = cornerOf(layout, place).map(length => Math.round(length * ratio)) as [number, number];
      const size = Math.round(layout.size * ratio);
      context.clearRect(left, top, size, size);
      context.strokeRect(left + ratio / 2, top + ratio / 2, size - ratio, size - ratio);
    }
  });
  context.globalAlpha = 1;
}

function wordOf(state: string): string {
  return state === '' ? 'ended' : stateLook(state).word;
}

function textOf(cell: ICell | undefined): string {
  if (cell === undefined) {
    return '';
  }
  if (cell.first === cell.last) {
    return `task ${cell.first}: ${wordOf(cell.state)}`;
  }
  const counts = inOrder(cell.counts).map(([state, count]) => `${formatCount(count)} ${wordOf(state)}`).join(', ');
  return `tasks ${cell.first} to ${cell.last}: ${counts}`;
}
