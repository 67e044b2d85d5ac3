// Where the tiles of the map are: with names where there is room, else as large as they can be. Lengths are CSS pixels.

/** Room around the tiles for the ring of the one in focus. */
export const MARGIN = 4;
const NAMED_WIDTH = 116;
const NAMED_HEIGHT = 46;
const NAMED_WIDEST = 250;
const NAMED_TALLEST = 68;
const LARGEST = 44;
const SMALLEST = 7;
/** From this size on a closed tile has room for its letters. */
export const LETTERS_FROM = 22;

export interface IMapLayout {
  count: number;
  columns: number;
  rows: number;
  /** From one tile to the next. */
  across: number;
  down: number;
  gap: number;
  /** Whether the tiles have room for the host's name. */
  named: boolean;
  width: number;
  height: number;
}

/** @param wanted - the height that there is; many hosts take more, and are scrolled */
export function layoutMap(count: number, room: number, wanted: number): IMapLayout {
  const usable = Math.max(SMALLEST, Math.floor(room) - 2 * MARGIN);
  const namedColumns = Math.max(1, Math.min(count, Math.floor(usable / NAMED_WIDTH)));
  const namedRows = Math.max(1, Math.ceil(count / namedColumns));
  if (namedRows * NAMED_HEIGHT <= wanted - 2 * MARGIN) {
    const across = Math.min(NAMED_WIDEST, Math.floor(usable / namedColumns));
    const down = Math.min(NAMED_TALLEST, Math.floor((wanted - 2 * MARGIN) / namedRows));
    return placed(count, namedColumns, across, down, 5, true);
  }
  let pitch = LARGEST;
  while (pitch > SMALLEST && Math.ceil(count / Math.floor(usable / pitch)) * pitch > wanted - 2 * MARGIN) {
    pitch -= 1;
  }
  return placed(count, Math.max(1, Math.floor(usable / pitch)), pitch, pitch, pitch >= 16 ? 3 : pitch >= 10 ? 2 : 1, false);
}

function placed(count: number, columns: number, across: number, down: number, gap: number, named: boolean): IMapLayout {
  const rows = Math.ceil(count / columns);
  return {
    count, columns, rows, across, down, gap, named,
    width: Math.min(count, columns) * across + 2 * MARGIN,
    height: rows * down + 2 * MARGIN
  };
}

/** The tile at a point, or -1. */
export function tileAt(layout: IMapLayout, x: number, y: number): number {
  const column = Math.floor((x - MARGIN) / layout.across);
  const row = Math.floor((y - MARGIN) / layout.down);
  const tile = row * layout.columns + column;
  return column >= 0 && column < layout.columns && row >= 0 && tile < layout.count ? tile : -1;
}

/** Left, upper edge, width and height of a tile. */
export function boxOf(layout: IMapLayout, tile: number): [number, number, number, number] {
  const row = Math.floor(tile / layout.columns);
  const left = MARGIN + (tile - row * layout.columns) * layout.across;
  return [left, MARGIN + row * layout.down, layout.across - layout.gap, layout.down - layout.gap];
}

/** Where a key leads from a tile; undefined if it does not move. */
export function moveOnMap(layout: IMapLayout, tile: number, key: string): number | undefined {
  const steps: Record<string, number> = {
    ArrowRight: 1, ArrowLeft: -1, ArrowDown: layout.columns, ArrowUp: -layout.columns,
    PageDown: 5 * layout.columns, PageUp: -5 * layout.columns, Home: -layout.count, End: layout.count
  };
  const step = steps[key];
  if (step === undefined) {
    return undefined;
  }
  const to = tile + step;
  const vertical = key === 'ArrowDown' || key === 'ArrowUp';
  return vertical && (to < 0 || to >= layout.count) ? tile : Math.max(0, Math.min(layout.count - 1, to));
}
