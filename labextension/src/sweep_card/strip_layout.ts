// Where the cells of a strip are: rows that fit the width, as large as they can be in a limited height.

/** Room around the cells for the ring of the one in focus. */
export const MARGIN = 4;
const LARGEST_PITCH = 18;
const SMALLEST_PITCH = 4;
const WANTED_HEIGHT = 116;
/** From this pitch on a cell has room for its state's drawing. */
const DRAWING_PITCH = 12;

/** Lengths are CSS pixels. */
export interface ILayout {
  count: number;
  columns: number;
  rows: number;
  /** From the left edge of one cell to that of the next. */
  pitch: number;
  /** Edge of a cell. */
  size: number;
  /** Whether a cell shows its state's drawing; else it is filled to a level. */
  drawings: boolean;
  width: number;
  height: number;
}

export function layoutStrip(count: number, room: number): ILayout {
  const usable = Math.max(SMALLEST_PITCH, Math.floor(room) - 2 * MARGIN);
  let pitch = Math.min(LARGEST_PITCH, usable);
  while (pitch > SMALLEST_PITCH && Math.ceil(count / columnsAt(pitch, usable)) * pitch > WANTED_HEIGHT) {
    pitch -= 1;
  }
  const columns = Math.max(1, Math.min(count, columnsAt(pitch, usable)));
  const rows = Math.max(1, Math.ceil(count / columns));
  return {
    count,
    columns,
    rows,
    pitch,
    size: pitch - (pitch >= 8 ? 2 : 1),
    drawings: pitch >= DRAWING_PITCH,
    width: columns * pitch + 2 * MARGIN,
    height: rows * pitch + 2 * MARGIN
  };
}

/** The cell at a point of the strip, or -1. */
export function cellAt(layout: ILayout, x: number, y: number): number {
  const column = Math.floor((x - MARGIN) / layout.pitch);
  const row = Math.floor((y - MARGIN) / layout.pitch);
  const cell = row * layout.columns + column;
  const inside = column >= 0 && column < layout.columns && row >= 0 && cell < layout.count;
  return inside ? cell : -1;
}

/** Left and upper edge of a cell. */
export function placeOf(layout: ILayout, cell: number): [number, number] {
  const row = Math.floor(cell / layout.columns);
  return [MARGIN + (cell - row * layout.columns) * layout.pitch, MARGIN + row * layout.pitch];
}

/** Where a key of the keyboard leads from a cell; undefined if the key does not move. */
export function moveBy(layout: ILayout, cell: number, key: string): number | undefined {
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: layout.columns,
    ArrowUp: -layout.columns,
    PageDown: 10 * layout.columns,
    PageUp: -10 * layout.columns,
    Home: -layout.count,
    End: layout.count
  };
  const step = steps[key];
  if (step === undefined) {
    return undefined;
  }
  const to = cell + step;
  const vertical = key === 'ArrowUp' || key === 'ArrowDown';
  if (vertical && (to < 0 || to >= layout.count)) {
    return cell;
  }
  return Math.max(0, Math.min(layout.count - 1, to));
}

/** At most this many columns in all, whole tens where there are many: rows are counted by eye then. */
function columnsAt(pitch: number, usable: number): number {
  const fit = Math.max(1, Math.floor(usable / pitch));
  return fit >= 20 ? fit - (fit % 10) : fit;
}
