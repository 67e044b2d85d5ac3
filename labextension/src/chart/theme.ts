// Figures in the colours and letters of the page around them.

interface ICan {
  range: boolean;
  lasso: boolean;
}

type Layout = Record<string, unknown>;

/** The traces; on a dark page in the colours that they have for it (`meta.on_dark`: gcs_lab/cockpit/figures.py). */
export function coloured(data: unknown[], dark: boolean): unknown[] {
  const traces = data as { meta?: { on_dark?: string }; line?: object }[];
  return traces.map(one => dark && one.meta?.on_dark !== undefined ? { ...one, line: { ...one.line, color: one.meta.on_dark } } : one);
}

/** The figure's layout with the page's colours and fonts, and without what the page already says beside it. */
export function themed(node: HTMLElement, { data, layout }: { data: unknown[]; layout: Layout }, dark: boolean, can: ICan): Layout {
  const style = getComputedStyle(node);
  const line = dark ? 'rgba(255,255,255,0.14)' : 'rgba(0,0,0,0.1)';
  const ground = style.getPropertyValue('--gcs-ground').trim();
  const font = { family: style.fontFamily, size: 12, color: style.color };
  const own = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name));
  const axes = own.length > 0 ? own : [['xaxis', {}], ['yaxis', {}]] as [string, unknown][];
  const ways = can.range || can.lasso;
  // Points that are small in the figure are not so in the legend.
  const points = (data as { mode?: string }[]).some(trace => trace.mode === 'markers');
  return {
    margin: { l: 48, r: 12, t: 10, b: 36 },
    hovermode: 'x unified',
    ...layout,
    ...Object.fromEntries(axes.map(([name, value]) => [name, axisOf(name, value as Layout, { line, can, ways })])),
    ...(ways ? { dragmode: can.lasso ? 'lasso' : 'zoom' } : {}),
    // Above the plot, however many lines it has.
    legend: { orientation: 'h', x: 0, yref: 'container', y: 1, yanchor: 'top', traceorder: 'normal', ...(points ? { itemsizing: 'constant' } : {}) },
    ...(Array.isArray(layout.shapes) ? { shapes: (layout.shapes as Layout[]).map(shape => inked(shape, style.color)) } : {}),
    title: undefined,
    height: undefined,
    width: undefined,
    autosize: true,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font,
    hoverlabel: { bgcolor: ground.startsWith('#') || ground.startsWith('rgb') ? ground : dark ? '#222' : '#fff', bordercolor: line, font },
    // Zoom and pan outlive an update, but not a new period.
    uirevision: layout.uirevision ?? 'kept'
  };
}

/** A line that has no colour of its own is seen on any ground. */
function inked(shape: Layout, ink: string): Layout {
  return { ...shape, line: { color: ink, ...(shape.line as object | undefined) } };
}

function axisOf(name: string, own: Layout, { line, can, ways }: { line: string; can: ICan; ways: boolean }): Layout {
  const plain = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  // A period is drawn along the time alone; what is drawn around moves no axis.
  const fixed = ways && (can.lasso || name.startsWith('y')) ? { fixedrange: true } : {};
  return { ...plain, ...own, ...fixed };
}
