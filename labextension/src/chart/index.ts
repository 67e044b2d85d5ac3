// The module that draws plotly figures in the colours of the page. It is loaded when a chart is first shown.
import Plotly from 'plotly.js-basic-dist-min';

interface IFigure {
  data: unknown[];
  layout: Record<string, unknown>;
}

interface IDrawn {
  update(figure: IFigure, dark: boolean): void;
  dispose(): void;
}

/** What is used of plotly.js. */
interface IPlotNode extends HTMLElement {
  on(event: string, handler: (event: IPlotEvent) => boolean | undefined): void;
}

interface IPlotEvent {
  points?: { data?: { name?: string }; x?: unknown; y?: unknown; label?: unknown }[];
  curveNumber?: number;
  data?: { name?: string }[];
}

type Draw = (node: HTMLElement, data: unknown[], layout: unknown, config: unknown) => Promise<unknown>;

const { newPlot, react, purge, Plots } = Plotly as unknown as {
  newPlot: Draw;
  react: Draw;
  purge: (node: HTMLElement) => void;
  Plots: { resize: (node: HTMLElement) => Promise<unknown> | undefined };
};
const CONFIG = { displaylogo: false, displayModeBar: false, responsive: false, doubleClick: 'reset' };

/**
 * @param onClick - told the names of what was clicked: of the trace, then of its place on either axis
 */
export async function draw(node: HTMLElement, figure: IFigure, onClick: (names: string[]) => void, dark: boolean): Promise<IDrawn> {
  await newPlot(node, coloured(figure.data, dark), themed(node, figure.layout, dark), CONFIG);
  const plot = node as IPlotNode;
  plot.on('plotly_click', ({ points }) => {
    const point = points?.[0];
    onClick([point?.data?.name, point?.label, point?.x, point?.y].filter(name => name !== undefined && name !== null).map(String));
    return undefined;
  });
  // A click on the legend narrows, too, instead of hiding a line.
  plot.on('plotly_legendclick', ({ curveNumber, data }) => {
    const name = data?.[curveNumber ?? -1]?.name;
    if (name !== undefined) {
      onClick([name]);
    }
    return false;
  });
  plot.on('plotly_legenddoubleclick', () => false);
  const watcher = new ResizeObserver(() => {
    if (node.clientWidth > 0) {
      void Plots.resize(node);
    }
  });
  watcher.observe(node);
  return {
    update(next, darkNow) {
      void react(node, coloured(next.data, darkNow), themed(node, next.layout, darkNow), CONFIG);
    },
    dispose() {
      watcher.disconnect();
      purge(node);
    }
  };
}

/** The traces; on a dark page in the colours that they have for it (`meta.on_dark`: gcs_lab/cockpit/figures.py). */
function coloured(data: unknown[], dark: boolean): unknown[] {
  const traces = data as { meta?: { on_dark?: string }; line?: object }[];
  return traces.map(one => dark && one.meta?.on_dark !== undefined ? { ...one, line: { ...one.line, color: one.meta.on_dark } } : one);
}

/** The figure's layout with the page's colours and fonts, and without what the page already says beside it. */
function themed(node: HTMLElement, layout: Record<string, unknown>, dark: boolean): Record<string, unknown> {
  const style = getComputedStyle(node);
  const line = dark ? 'rgba(255,255,255,0.14)' : 'rgba(0,0,0,0.1)';
  const ground = style.getPropertyValue('--gcs-ground').trim();
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  const own = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name));
  const axes = own.length > 0 ? own : [['xaxis', {}], ['yaxis', {}]] as [string, unknown][];
  return {
    margin: { l: 48, r: 12, t: 10, b: 36 },
    hovermode: 'x unified',
    ...layout,
    ...Object.fromEntries(axes.map(([name, value]) => [name, { ...axis, ...(value as object) }])),
    // Above the plot, however many lines it has.
    legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', traceorder: 'normal' },
    title: undefined,
    height: undefined,
    width: undefined,
    autosize: true,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: style.fontFamily, size: 12, color: style.color },
    hoverlabel: {
      bgcolor: ground.startsWith('#') || ground.startsWith('rgb') ? ground : dark ? '#222' : '#fff',
      bordercolor: line, font: { family: style.fontFamily, size: 12, color: style.color }
    },
    // Zoom and pan outlive an update.
    uirevision: 'kept'
  };
}
