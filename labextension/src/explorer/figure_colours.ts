// A host's figure in the colours of the page: a value has one colour in all figures, owners that of the cockpit.
import { FIGURE_COLOURS, figureColour, ramp, type Scale } from '../face/colours';
import type { IFigure } from '../face/chart_library';
import type { IExplorerFigure, IExplorerState, TabName } from '../protocol/explorer_messages';
import { widthOf, withTicks } from './figure_facts';
import { valueOf } from './terms';

/**
 * Values that have a colour, by what they are values of: that at place n has colour n, beyond the last colour from the first
 * on again; '' is a free place. */
export type Ranks = Readonly<Record<string, readonly string[]>>;

interface IMeta {
  /** Of a heat map: which scale; "load" is for what is bad. */
  scale?: Scale;
  /** Its colours say something of their own, and stay. */
  keep?: boolean;
}

interface ITrace {
  type?: string;
  name?: string;
  mode?: string;
  orientation?: string;
  stackgroup?: string;
  fill?: string;
  colorscale?: unknown;
  x?: unknown;
  y?: unknown;
  line?: Record<string, unknown>;
  marker?: Record<string, unknown>;
  meta?: IMeta;
}

const DASHES = ['solid', 'dash', 'dot', 'dashdot', 'longdash', 'longdashdot'];
/** So many values may share a colour before one loses it. */
const MOST_OF_A_COLOUR = 8;
const STOPS = 8;
const LEAST: Record<Scale, readonly [string, string]> = { use: ['rgb(229 238 248)', 'rgb(30 46 66)'], load: ['rgb(254 243 222)', 'rgb(60 45 27)'] };
/** What the host calls plain, bad and all the rest (gcs_lab/explorer/drawing.py), on light and dark ground. */
const SAID: Record<string, readonly [string, string]> = {
  '#0072b2': ['#2468b4', '#6aa8ee'],
  '#d55e00': ['#c2410c', '#ff9a5c'],
  '#999999': ['#9a9a9a', '#8c8c8c']
};
/** Where much is bad. */
const BAD_TABS: readonly TabName[] = ['waits', 'failures'];
/** What values of several columns are ranked as: by their names. */
const MIXED = 'mixed';

/** What the traces' names are values of: one column, or several. */
function spaceOf(told: IExplorerFigure): string {
  const traces = (told.figure.data as ITrace[]).flatMap(trace => (trace.name === undefined ? [] : [told.terms[trace.name]]));
  const terms = traces.some(term => term !== undefined) ? traces : Object.values(told.terms);
  const columns = new Set(terms.flatMap(term => (term === undefined ? [] : [valueOf(term)?.[0] ?? MIXED])));
  const [first = MIXED] = columns;
  return columns.size === 1 ? first : MIXED;
}

/** The value that a name of a trace or a bar stands for; undefined: none. */
function valueIn(told: IExplorerFigure, space: string, name: string | undefined): string | undefined {
  const term = name === undefined ? undefined : told.terms[name];
  return term === undefined ? undefined : space === MIXED ? name : valueOf(term)?.[1];
}

/**
 * The places with those of a figure's values, the largest first. Each keeps the colour that it had, unless a larger one of
 * the same figure has the same: values that are never seen together may share one. */
function placed(values: readonly string[], before: readonly string[]): string[] {
  const places = [...before];
  const used = new Set<number>();
  const without: string[] = [];
  for (const value of values.slice(0, FIGURE_COLOURS)) {
    const place = places.indexOf(value);
    if (place >= 0 && !used.has(place % FIGURE_COLOURS)) {
      used.add(place % FIGURE_COLOURS);
    } else {
      without.push(value);
      if (place >= 0) {
        places[place] = '';
      }
    }
  }
  for (const value of without) {
    const all = Array.from({ length: FIGURE_COLOURS * MOST_OF_A_COLOUR }, (_, place) => place).filter(place => !used.has(place % FIGURE_COLOURS));
    const place = all.find(one => (places[one] ?? '') === '') ?? all[0] ?? 0;
    used.add(place % FIGURE_COLOURS);
    while (places.length <= place) {
      places.push('');
    }
    places[place] = value;
  }
  return places;
}

/** The ranks with those of new figures, whose first values are the largest; the same object if nothing is other. */
export function rankedAnew(ranks: Ranks, figures: readonly IExplorerFigure[]): Ranks {
  const next: Record<string, readonly string[]> = { ...ranks };
  for (const told of figures) {
    const space = spaceOf(told);
    const values = (told.figure.data as ITrace[]).map(trace => valueIn(told, space, trace.name)).filter(value => value !== undefined);
    if (values.length > 0) {
      next[space] = placed(values, ranks[space] ?? []);
    }
  }
  return JSON.stringify(next) === JSON.stringify(ranks) ? ranks : next;
}

export function figureOf(told: IExplorerFigure, state: IExplorerState, ranks: Ranks, dark: boolean): IFigure {
  const space = spaceOf(told);
  const colourOf = (name: string | undefined): [string, number] | undefined => {
    const value = valueIn(told, space, name);
    const place = value === undefined ? -1 : (ranks[space] ?? []).indexOf(value);
    return value === undefined ? undefined : [figureColour(place < 0 ? FIGURE_COLOURS : place % FIGURE_COLOURS, dark), place < 0 ? place : place % FIGURE_COLOURS];
  };
  const bad: Scale = BAD_TABS.includes(state.tab) ? 'load' : 'use';
  const data = (told.figure.data as ITrace[]).map(trace => {
    const width = widthOf(told, trace);
    return { ...traceOf(trace, colourOf, bad, dark), ...(width === undefined ? {} : { width }) };
  });
  // Another revision: points that were picked before are so no more.
  const lasso = told.lasso
    ? { selections: state.lasso === null ? [] : [selectionOf(state.lasso)], selectionrevision: JSON.stringify(state.lasso) }
    : {};
  const layout = { ...withTicks(told), ...lasso, uirevision: `${told.name} ${String(state.since)} ${String(state.until)}` };
  return { data, layout };
}

function traceOf(trace: ITrace, colourOf: (name: string | undefined) => [string, number] | undefined, bad: Scale, dark: boolean): ITrace {
  const { meta = {}, type = 'scatter', marker } = trace;
  if (meta.keep === true) {
    return trace;
  }
  if (type === 'heatmap') {
    // A scale of colours that let the ground through is for light and dark pages alike.
    return Array.isArray(trace.colorscale) ? trace : { ...trace, colorscale: scaleOf(meta.scale ?? bad, dark) };
  }
  const own = colourOf(trace.name);
  if (own !== undefined) {
    return inColour(trace, ...own);
  }
  const colours = marker?.color;
  if (Array.isArray(colours) && typeof colours[0] === 'string') {
    const names = (trace.orientation === 'h' ? trace.y : trace.x) as string[];
    // What has a pattern is marked as good or bad; else each bar is a value.
    const valued = marker?.pattern === undefined;
    // The largest bars come first: a smaller one that shares its colour has none here.
    const taken = new Set<number>();
    const colourAt = (place: number) => {
      const found = valued ? colourOf(names[place]) : undefined;
      if (found === undefined || found[1] < 0 || taken.has(found[1])) {
        return undefined;
      }
      taken.add(found[1]);
      return found[0];
    };
    const shown = (colours as string[]).map((said, place) => colourAt(place) ?? saidColour(said, dark));
    return { ...trace, marker: { ...marker, ...patterned(marker, dark), color: shown } };
  }
  if (Array.isArray(colours) || hasBytes(colours)) {
    return { ...trace, marker: { ...marker, colorscale: scaleOf(meta.scale ?? bad, dark) } };
  }
  return {
    ...trace,
    ...(typeof colours === 'string' ? { marker: { ...marker, ...patterned(marker, dark), color: saidColour(colours, dark) } } : {}),
    ...(typeof trace.line?.color === 'string' ? { line: { ...trace.line, color: saidColour(trace.line.color, dark) } } : {})
  };
}

/** A pattern upon the colour, not in its place: what is marked is seen at least as well as the others. */
function patterned(marker: ITrace['marker'], dark: boolean): object {
  return marker?.pattern === undefined ? {} : { pattern: { ...(marker.pattern as object), fillmode: 'overlay', fgcolor: dark ? '#000' : '#fff', fgopacity: 0.75 } };
}

function saidColour(colour: string, dark: boolean): string {
  return SAID[colour.toLowerCase()]?.[dark ? 1 : 0] ?? colour;
}

/** Bytes in base64, as plotly writes arrays of numbers. */
function hasBytes(array: unknown): boolean {
  return typeof array === 'object' && array !== null && 'bdata' in array;
}

function inColour(trace: ITrace, colour: string, place: number): ITrace {
  const { type = 'scatter' } = trace;
  if (type !== 'scatter') {
    return { ...trace, marker: { ...trace.marker, color: colour }, ...(type === 'box' || type === 'violin' ? { line: { ...trace.line, color: colour } } : {}) };
  }
  if (trace.mode === 'markers') {
    return { ...trace, marker: { ...trace.marker, color: colour } };
  }
  const filled = trace.stackgroup === undefined && trace.fill === undefined ? {} : { fillcolor: withAlpha(colour, trace.stackgroup === undefined ? 0.25 : 0.82) };
  // Lines differ in more than their colour.
  const dash = trace.stackgroup === undefined && place > 0 ? { dash: DASHES[place] ?? 'solid' } : {};
  return { ...trace, ...filled, line: { ...dash, ...trace.line, color: colour } };
}

function withAlpha(colour: string, alpha: number): string {
  return colour.startsWith('#') ? `${colour}${Math.round(alpha * 255).toString(16).padStart(2, '0')}` : colour;
}

/** From near the page's ground on: little is seen, but told from what is not there; much is far from it. */
export function scaleOf(scale: Scale, dark: boolean): [number, string][] {
  const none: [number, string] = [0, LEAST[scale][dark ? 1 : 0]];
  const steps = Array.from({ length: STOPS }, (_, at): [number, string] => [(at + 1) / STOPS, ramp(scale, (at + 1) / STOPS, dark)]);
  return [none, ...steps].map(([at, colour]) => [at, colour.replace(/rgb\((\d+) (\d+) (\d+)\)/, 'rgb($1,$2,$3)')]);
}

function selectionOf({ x, y }: { x: number[]; y: number[] }): Record<string, unknown> {
  return { type: 'path', xref: 'x', yref: 'y', path: `M${x.map((at, place) => `${at},${y[place] ?? 0}`).join('L')}Z`, line: { width: 1.5, dash: 'dot' } };
}
