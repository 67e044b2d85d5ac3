// The module that draws plotly figures in the colours of the page. It is loaded when a chart is first shown.
import Plotly from 'plotly.js-cartesian-dist-min';

import type { IDrawnChart, IFigure, IFigureEvents } from '../face/chart_library';
import { coloured, themed } from './theme';

/** What is used of plotly.js' events. */
interface IPlotNode extends HTMLElement {
  on(event: string, handler: (event: IPlotEvent | undefined) => boolean | undefined): void;
}

interface IPlotEvent {
  points?: { data?: { name?: string }; x?: unknown; y?: unknown; label?: unknown }[];
  curveNumber?: number;
  data?: { name?: string }[];
  lassoPoints?: Record<string, unknown[]>;
  range?: Record<string, unknown[]>;
}

const CONFIG = { displaylogo: false, showTips: false, displayModeBar: false, responsive: false, doubleClick: 'reset' };
/** Pictures are as wide as they are shown, but of twice the points, for print. */
const PICTURE_SCALE = 2;
const TITLE_PIXELS = 34;

export async function draw(node: HTMLElement, figure: IFigure, events: IFigureEvents, dark: boolean): Promise<IDrawnChart> {
  const can = { range: events.range !== undefined, lasso: events.lasso !== undefined };
  await Plotly.newPlot(node, coloured(figure.data, dark), themed(node, figure, dark, can), CONFIG);
  const plot = node as IPlotNode;
  listen(plot, events);
  const watcher = new ResizeObserver(() => {
    if (node.clientWidth > 0) {
      void Plotly.Plots.resize(node);
    }
  });
  watcher.observe(node);
  return {
    update(next, darkNow) {
      void Plotly.react(node, coloured(next.data, darkNow), themed(node, next, darkNow, can), CONFIG);
    },
    picture(shown, format, darkNow, title) {
      const [width, height] = [Math.max(480, node.clientWidth), Math.max(240, node.clientHeight) + TITLE_PIXELS];
      const layout = themed(node, shown, darkNow, can);
      const { margin } = layout as { margin: { t: number } };
      const [ground, ink] = darkNow ? ['#1b1e23', '#e6e9ed'] : ['#ffffff', '#1f2328'];
      const font = { ...(layout.font as object), color: ink };
      const picture = {
        ...layout, paper_bgcolor: ground, plot_bgcolor: ground, font,
        margin: { ...margin, t: margin.t + TITLE_PIXELS },
        legend: { ...(layout.legend as object), y: 1 - TITLE_PIXELS / height },
        title: { text: escaped(title), x: 0.01, xanchor: 'left', y: 1, yanchor: 'top', pad: { t: 10 }, font: { ...font, size: 14 } }
      };
      const scale = format === 'png' ? { scale: PICTURE_SCALE } : {};
      return Plotly.toImage({ data: coloured(shown.data, darkNow), layout: picture }, { format, width, height, ...scale });
    },
    dispose() {
      watcher.disconnect();
      Plotly.purge(node);
    }
  };
}

function listen(plot: IPlotNode, events: IFigureEvents): void {
  plot.on('plotly_click', event => {
    const point = event?.points?.[0];
    events.click([point?.data?.name, point?.label, point?.x, point?.y].filter(name => name !== undefined && name !== null).map(String));
    return undefined;
  });
  // A click on the legend narrows, too, instead of hiding a line.
  plot.on('plotly_legendclick', event => {
    const name = event?.data?.[event.curveNumber ?? -1]?.name;
    if (name !== undefined) {
      events.click([name]);
    }
    return false;
  });
  plot.on('plotly_legenddoubleclick', () => false);
  plot.on('plotly_selected', event => {
    const around = event === undefined ? undefined : outline(event);
    const range = event?.range?.x;
    if (around !== undefined) {
      events.lasso?.(around);
    } else if (events.range !== undefined && range !== undefined) {
      events.range(String(range[0]), String(range[1]));
    }
    return undefined;
  });
  plot.on('plotly_deselect', () => {
    events.lasso?.(null);
    return undefined;
  });
  plot.on('plotly_relayout', event => {
    const changed = (event ?? {}) as Record<string, string | number | undefined>;
    const whole = (event as { 'xaxis.range'?: (string | number)[] } | undefined)?.['xaxis.range'];
    const from = changed['xaxis.range[0]'] ?? whole?.[0];
    const to = changed['xaxis.range[1]'] ?? whole?.[1];
    if (from !== undefined && to !== undefined) {
      events.range?.(String(from), String(to));
    }
    return undefined;
  });
  const { leads } = events;
  if (leads !== undefined) {
    watchTicks(plot, leads, events);
  }
}

/** What was drawn around, as a polygon: also where it was a box. */
function outline(event: IPlotEvent): { x: number[]; y: number[] } | undefined {
  const { lassoPoints, range } = event;
  if (lassoPoints?.x !== undefined && lassoPoints.y !== undefined) {
    return { x: lassoPoints.x.map(Number), y: lassoPoints.y.map(Number) };
  }
  const [x0, x1] = (range?.x ?? []).map(Number);
  const [y0, y1] = (range?.y ?? []).map(Number);
  return x0 === undefined || x1 === undefined || y0 === undefined || y1 === undefined
    ? undefined
    : { x: [x0, x1, x1, x0], y: [y0, y0, y1, y1] };
}

/** plotly.js tells of no click on a tick: those that lead somewhere are marked, and hear it themselves. */
function watchTicks(plot: IPlotNode, leads: (name: string) => boolean, events: IFigureEvents): void {
  const ticks = () => plot.querySelectorAll<SVGTextElement>('.xtick text, .ytick text');
  const mark = () => {
    ticks().forEach(tick => { tick.classList.toggle('gcs-tick-leads', leads(nameOf(tick))); });
    return undefined;
  };
  mark();
  plot.on('plotly_afterplot', mark);
  plot.addEventListener('click', event => {
    const tick = event.target instanceof Element ? event.target.closest<SVGTextElement>('.gcs-tick-leads') : null;
    if (tick !== null) {
      events.click([nameOf(tick)]);
    }
  });
}

/** Its whole text, also where it is shown shortened. */
function nameOf(tick: SVGTextElement): string {
  return (tick.dataset.unformatted ?? tick.textContent).trim();
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
