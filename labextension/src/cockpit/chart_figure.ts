// A host's figure as this page draws it: owners in the colours that they have in the strip and on the map.
import type { IChart } from '../protocol/messages';
import type { IFigure } from '../face/chart_library';
import { ownerColour } from '../face/colours';

interface ITrace {
  type?: string;
  name?: string;
  stackgroup?: string;
  y?: unknown;
  line?: Record<string, unknown>;
  marker?: Record<string, unknown>;
  meta?: { on_dark?: string };
}

export function figureOf(chart: IChart, ranks: readonly string[], dark: boolean): IFigure {
  const data = (chart.figure.data as ITrace[]).map(trace => {
    const colour = colourOf(trace, chart.terms, ranks, dark);
    if (colour === undefined) {
      return trace;
    }
    if (trace.type === 'bar') {
      return { ...trace, marker: { ...trace.marker, color: colour } };
    }
    const fill = trace.stackgroup === undefined ? {} : { fillcolor: `${colour}d0` };
    return { ...trace, ...fill, line: { ...trace.line, color: colour } };
  });
  return { data, layout: chart.figure.layout };
}

function colourOf(trace: ITrace, terms: Record<string, string>, ranks: readonly string[], dark: boolean): string | undefined {
  const term = trace.name === undefined ? undefined : terms[trace.name];
  if (term?.startsWith('owner:') === true) {
    const rank = ranks.indexOf(trace.name ?? '');
    return ownerColour(rank < 0 ? Infinity : rank, dark);
  }
  return dark ? trace.meta?.on_dark : undefined;
}

/** The figures that a chart ends with (of bars: their sums), for those who do not see it. */
export function inWords(chart: IChart): string {
  const traces = chart.figure.data as ITrace[];
  const said = traces.slice(0, 10).map(trace => {
    const values = numbersOf(trace.y);
    const told = trace.type === 'bar' ? values.reduce((sum, value) => sum + value, 0) : values.at(-1);
    return trace.name === undefined || told === undefined ? '' : `${trace.name} ${Math.round(told)}`;
  }).filter(one => one !== '');
  if (said.length === 0) {
    return 'nothing yet';
  }
  return `${traces[0]?.type === 'bar' ? 'in all' : 'at last'} ${said.join(', ')}`;
}

/** An array as plotly takes it: a list, or bytes in base64 with the name of their type. */
function numbersOf(array: unknown): number[] {
  if (Array.isArray(array)) {
    return array.filter(value => typeof value === 'number');
  }
  const { dtype, bdata } = (array ?? {}) as { dtype?: string; bdata?: string };
  const kinds = {
    i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array
  };
  const kind = kinds[dtype as keyof typeof kinds] as (typeof kinds)[keyof typeof kinds] | undefined;
  if (kind === undefined || bdata === undefined) {
    return [];
  }
  return [...new kind(Uint8Array.from(atob(bdata), sign => sign.charCodeAt(0)).buffer)];
}
