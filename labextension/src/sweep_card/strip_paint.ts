// Paints the strip: one canvas for all cells, sharp on every screen.
import { lookOf } from '../card/state_look';
import { placeOf, type ILayout } from './strip_layout';

/** Colours of a page that is dark or light. */
export interface IGround {
  dark: boolean;
  /** Of the ring around a cell. */
  text: string;
  accent: string;
}

export interface IMarks {
  focused: number;
  hovered: number;
  opened: number;
}

const drawn = new Map<string, Path2D>();

export function colourOf(state: string, dark: boolean): string {
  const look = lookOf(state);
  return dark ? look.on_dark : look.on_light;
}

/**
 * @param ratio - device pixels to a CSS pixel
 * @param stateOf - the state of a cell
 */
export function paintStrip(
  canvas: HTMLCanvasElement,
  layout: ILayout,
  ratio: number,
  ground: IGround,
  marks: IMarks,
  stateOf: (cell: number) => string
): void {
  canvas.width = Math.round(layout.width * ratio);
  canvas.height = Math.round(layout.height * ratio);
  canvas.style.width = `${layout.width}px`;
  canvas.style.height = `${layout.height}px`;
  const context = canvas.getContext('2d');
  if (context === null) {
    return;
  }
  const byState = new Map<string, number[]>();
  for (let cell = 0; cell < layout.count; cell += 1) {
    const state = stateOf(cell);
    const cells = byState.get(state);
    if (cells === undefined) {
      byState.set(state, [cell]);
    } else {
      cells.push(cell);
    }
  }
  for (const [state, cells] of byState) {
    context.fillStyle = colourOf(state, ground.dark);
    for (const cell of cells) {
      fillCell(context, layout, ratio, cell, lookOf(state).level);
    }
    if (layout.drawings) {
      drawIcons(context, layout, ratio, cells, state, ground.dark);
    }
  }
  ring(context, layout, ratio, marks.hovered, 1, ground.text);
  ring(context, layout, ratio, marks.opened, 2, ground.text);
  ring(context, layout, ratio, marks.focused, 2, ground.accent);
}

/** Every edge lies on a whole device pixel: no cell is blurred, whatever the zoom is. */
function fillCell(context: CanvasRenderingContext2D, layout: ILayout, ratio: number, cell: number, level: number): void {
  const [left, top] = placeOf(layout, cell);
  const snap = (length: number) => Math.round(length * ratio);
  const { size, pitch } = layout;
  const x = snap(left);
  const y = snap(top);
  if (layout.drawings || level === 1) {
    context.fillRect(x, y, snap(left + size) - x, snap(top + size) - y);
  } else if (level > 1) {
    context.fillRect(x, y, snap(left + pitch) - x, snap(top + pitch) - y);
  } else if (level === 0) {
    const dot = Math.max(1, snap(size / 3));
    context.fillRect(x + Math.round((snap(size) - dot) / 2), y + Math.round((snap(size) - dot) / 2), dot, dot);
  } else {
    const bottom = snap(top + size);
    const height = Math.max(1, Math.round((bottom - y) * level));
    context.fillRect(x, bottom - height, snap(left + size) - x, height);
  }
}

function drawIcons(
  context: CanvasRenderingContext2D,
  layout: ILayout,
  ratio: number,
  cells: number[],
  state: string,
  dark: boolean
): void {
  const { icon } = lookOf(state);
  const path = drawn.get(icon) ?? new Path2D(icon);
  drawn.set(icon, path);
  context.save();
  context.strokeStyle = dark ? '#111' : '#fff';
  context.lineWidth = 2;
  context.lineCap = 'round';
  const scale = (layout.size * ratio) / 16;
  for (const cell of cells) {
    const [left, top] = placeOf(layout, cell);
    context.setTransform(scale, 0, 0, scale, left * ratio, top * ratio);
    context.stroke(path);
  }
  context.restore();
}

function ring(
  context: CanvasRenderingContext2D,
  layout: ILayout,
  ratio: number,
  cell: number,
  thickness: number,
  colour: string
): void {
  if (cell < 0 || cell >= layout.count) {
    return;
  }
  const [left, top] = placeOf(layout, cell);
  const away = thickness / 2 + 1;
  context.strokeStyle = colour;
  context.lineWidth = thickness * ratio;
  const edge = (layout.size + 2 * away) * ratio;
  context.strokeRect((left - away) * ratio, (top - away) * ratio, edge, edge);
}
