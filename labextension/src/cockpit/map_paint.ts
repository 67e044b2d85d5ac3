// Paints the map: one canvas for all hosts. A tile is filled from below to the share of its slots that is in use.
import type { IMapHost } from '../protocol/messages';
import { ownerColour, ramp } from '../face/colours';
import { shareOf, type MapColour } from './map_colours';
import { ownersOf } from './map_hosts';
import { LETTERS_FROM, boxOf, type IMapLayout } from './map_layout';

export interface IMapLook {
  dark: boolean;
  text: string;
  /** Of slots that are free. */
  empty: string;
  accent: string;
  ground: string;
  font: string;
  colour: MapColour;
  /** Names of owners by number, and which of them have a colour, in the order of the colours. */
  names: string[];
  ranks: readonly string[];
  /** Owners that everything is narrowed to: the others are grey. Empty: all are shown. */
  owners: readonly string[];
}

export interface IMapMarks {
  focused: number;
  hovered: number;
  chosen: number;
}

const OUTSIDE = 0.22;
/** Text outside the filter is still to be read. */
const OUTSIDE_TEXT = 0.75;
/** Of the line with the host's name. */
const NAME_HEIGHT = 24;
/** Slots are told apart where each has this many pixels. */
const SLOT_PIXELS = 4;

export function paintMap(
  canvas: HTMLCanvasElement,
  layout: IMapLayout,
  ratio: number,
  hosts: readonly IMapHost[],
  look: IMapLook,
  marks: IMapMarks
): void {
  canvas.width = Math.round(layout.width * ratio);
  canvas.height = Math.round(layout.height * ratio);
  canvas.style.width = `${layout.width}px`;
  canvas.style.height = `${layout.height}px`;
  const context = canvas.getContext('2d');
  if (context === null) {
    return;
  }
  const hatch = hatching(context, ratio, look);
  hosts.forEach((host, tile) => {
    context.globalAlpha = host.matches ? 1 : OUTSIDE;
    paintTile(context, boxOf(layout, tile), ratio, host, look, layout.named, hatch);
  });
  context.globalAlpha = 1;
  ring(context, layout, ratio, marks.hovered, 1, look.text);
  ring(context, layout, ratio, marks.chosen, 2, look.text);
  ring(context, layout, ratio, marks.focused, 2, look.accent);
}

type Box = [number, number, number, number];

function paintTile(
  context: CanvasRenderingContext2D,
  box: Box,
  ratio: number,
  host: IMapHost,
  look: IMapLook,
  named: boolean,
  hatch: CanvasPattern | string
): void {
  // Every edge lies on a whole device pixel.
  const [left, top, width, height] = box.map(length => Math.round(length * ratio)) as Box;
  context.fillStyle = look.empty;
  context.fillRect(left, top, width, height);
  // With names, the bar stands below the text.
  const text = Math.round(NAME_HEIGHT * ratio);
  const bar: Box = named ? [left, top + text, width, height - text] : [left, top, width, height];
  fill(context, bar, host, look, named);
  if (named && host.total > 1 && width / host.total >= SLOT_PIXELS * ratio) {
    context.fillStyle = look.ground;
    for (let slot = 1; slot < host.total; slot += 1) {
      context.fillRect(bar[0] + Math.round((width * slot) / host.total), bar[1], Math.max(1, Math.round(ratio / 2)), bar[3]);
    }
  }
  if (host.state !== '') {
    context.fillStyle = hatch;
    context.fillRect(left, top, width, height);
  }
  context.fillStyle = look.text;
  if (named) {
    context.globalAlpha = host.matches ? 1 : OUTSIDE_TEXT;
    write(context, [left, top, width, height], ratio, host, look);
  } else if (host.state !== '' && width >= LETTERS_FROM * ratio) {
    label(context, left + width / 2, top + height / 2, host.state.slice(0, 3), ratio, look);
  }
}

/** `lying`: from the left; else from below. */
function fill(context: CanvasRenderingContext2D, [left, top, width, height]: Box, host: IMapHost, look: IMapLook, lying: boolean): void {
  const whole = host.total > 0 ? Math.min(1, host.used / host.total) : 0;
  const part = (from: number, to: number, colour: string) => {
    context.fillStyle = colour;
    if (lying) {
      const start = left + Math.round(width * from);
      context.fillRect(start, top, left + Math.round(width * to) - start, height);
    } else {
      const start = top + height - Math.round(height * from);
      const end = top + height - Math.round(height * to);
      context.fillRect(left, end, width, start - end);
    }
  };
  if (look.colour === 'owner') {
    let from = 0;
    for (const [owner, slots] of ownersOf(host, look.names)) {
      const to = Math.min(1, from + slots / Math.max(1, host.total));
      const rank = look.owners.length === 0 || look.owners.includes(owner) ? look.ranks.indexOf(owner) : -1;
      part(from, to, ownerColour(rank < 0 ? Infinity : rank, look.dark));
      from = to;
    }
    return;
  }
  const share = shareOf(host, look.colour);
  if (share !== undefined) {
    const colour = ramp(look.colour, share, look.dark);
    if (look.colour === 'load') {
      // The load is seen on hosts without a job, too.
      const alpha = context.globalAlpha;
      context.globalAlpha = alpha * 0.35;
      part(0, 1, colour);
      context.globalAlpha = alpha;
    }
    part(0, whole, colour);
  }
}

function write(context: CanvasRenderingContext2D, [left, top, width]: Box, ratio: number, host: IMapHost, look: IMapLook): void {
  const pad = 5 * ratio;
  context.font = `${Math.round(11 * ratio)}px ${look.font}`;
  context.textBaseline = 'middle';
  const figure = host.state === '' ? `${host.used}/${host.total}` : host.state;
  const room = width - 3 * pad - context.measureText(figure).width;
  const line = top + (NAME_HEIGHT * ratio) / 2;
  context.textAlign = 'left';
  context.fillText(shortened(context, host.host, room), left + pad, line);
  context.textAlign = 'right';
  context.fillText(figure, left + width - pad, line);
}

function label(context: CanvasRenderingContext2D, x: number, y: number, text: string, ratio: number, look: IMapLook): void {
  context.font = `600 ${Math.round(10 * ratio)}px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const width = context.measureText(text).width + 4 * ratio;
  context.fillStyle = look.empty;
  context.fillRect(x - width / 2, y - 7 * ratio, width, 14 * ratio);
  context.fillStyle = look.text;
  context.fillText(text, x, y + ratio / 2);
}

/** The first part of a host's name tells less than its last: `…-node117`. */
function shortened(context: CanvasRenderingContext2D, text: string, room: number): string {
  const short = text.split('.')[0] ?? text;
  if (context.measureText(short).width <= room) {
    return short;
  }
  let from = 1;
  while (from < short.length - 1 && context.measureText(`…${short.slice(from)}`).width > room) {
    from += 1;
  }
  return `…${short.slice(from)}`;
}

function hatching(context: CanvasRenderingContext2D, ratio: number, look: IMapLook): CanvasPattern | string {
  const size = Math.round(6 * ratio);
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const ink = tile.getContext('2d');
  if (ink === null) {
    return 'transparent';
  }
  ink.strokeStyle = look.text;
  ink.globalAlpha = 0.55;
  ink.lineWidth = ratio;
  for (const shift of [-size, 0, size]) {
    ink.moveTo(shift, size);
    ink.lineTo(shift + size, 0);
  }
  ink.stroke();
  return context.createPattern(tile, 'repeat') ?? 'transparent';
}

function ring(context: CanvasRenderingContext2D, layout: IMapLayout, ratio: number, tile: number, thickness: number, colour: string): void {
  if (tile < 0 || tile >= layout.count) {
    return;
  }
  const [left, top, width, height] = boxOf(layout, tile);
  const away = thickness / 2 + 0.5;
  context.strokeStyle = colour;
  context.lineWidth = thickness * ratio;
  context.strokeRect((left - away) * ratio, (top - away) * ratio, (width + 2 * away) * ratio, (height + 2 * away) * ratio);
}
