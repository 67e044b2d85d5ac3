// What follows from a figure's own data: how high it is drawn, which places have a name, what it is in words.
import type { IExplorerFigure } from '../protocol/explorer_messages';

export interface ITrace {
  name?: string;
  type?: string;
  orientation?: string;
  x?: unknown;
  y?: unknown;
}

const PIXELS = 300;
const LEAST_PIXELS = 160;
const MOST_PIXELS = 640;
/** Of a place with a name on the upright axis; and of the axis below, its title and the legend. */
const PLACE_PIXELS = 17;
const OTHER_PIXELS = 80;
/** More places than that have not all a name along the horizontal axis. */
const MOST_ACROSS = 40;

const MOST_WIDTH = 0.8;
const MANY_UPRIGHT = 8;
const MANY_ACROSS = 14;

/** How many places with names an axis has. */
function placesOn(told: IExplorerFigure, axis: 'x' | 'y'): number {
  const names = (told.figure.data as ITrace[]).flatMap(trace => {
    const values = trace[axis];
    return Array.isArray(values) && typeof values[0] === 'string' && isCategory(told, axis) ? (values as string[]) : [];
  });
  return new Set(names).size;
}

function isCategory(told: IExplorerFigure, axis: 'x' | 'y'): boolean {
  return (told.figure.layout[`${axis}axis`] as { type?: string } | undefined)?.type === 'category';
}

export function pixelsOf(told: IExplorerFigure): number {
  const { height } = told.figure.layout;
  const wanted = typeof height === 'number' ? height : Math.max(PIXELS, placesOn(told, 'y') * PLACE_PIXELS + OTHER_PIXELS);
  return Math.max(LEAST_PIXELS, Math.min(MOST_PIXELS, wanted));
}

/** The layout, in which every place has its name where there is room. */
export function withTicks(told: IExplorerFigure): Record<string, unknown> {
  const { layout } = told.figure;
  const every = (axis: 'x' | 'y', most: number) => {
    const places = placesOn(told, axis);
    return places > 0 && places <= most ? { [`${axis}axis`]: { dtick: 1, ...(layout[`${axis}axis`] as object) } } : {};
  };
  return { ...layout, ...every('y', (pixelsOf(told) - OTHER_PIXELS) / (PLACE_PIXELS - 3)), ...every('x', MOST_ACROSS) };
}

/** How wide a bar or box is where there are few of them, in places of the axis: one is not as wide as the page. */
export function widthOf(told: IExplorerFigure, trace: ITrace): number | undefined {
  const { type, orientation } = trace;
  const across = orientation === 'h';
  const places = type === 'bar' || type === 'box' ? placesOn(told, across ? 'y' : 'x') : 0;
  const many = across ? MANY_UPRIGHT : MANY_ACROSS;
  return places === 0 || places >= many || told.figure.layout.barmode === 'group' ? undefined : (MOST_WIDTH * places) / many;
}

/** What it shows, for those who do not see it: the caption says how it is read. */
export function inWords(told: IExplorerFigure): string {
  const names = (told.figure.data as ITrace[]).map(trace => trace.name).filter(name => name !== undefined && name !== '');
  const said = names.length === 0 ? '' : ` It shows ${names.slice(0, 12).join(', ')}${names.length > 12 ? ` and ${names.length - 12} more` : ''}.`;
  return `${told.title}. ${told.caption}${said}`;
}
