// The chart library: 1.5 MB that the host sends when a chart is first shown, once for all that a page shows.

export interface IFigure {
  data: unknown[];
  layout: Record<string, unknown>;
}

/** What a person does to a figure; what is left out cannot be done to it. */
export interface IFigureEvents {
  /** Names of what was clicked: of the trace, then of its place on either axis, or of a tick. */
  click: (names: string[]) => void;
  /** Whether a tick with this text can be clicked. */
  leads?: (name: string) => boolean;
  /** A range of the horizontal axis was drawn, in its own values. */
  range?: (from: string, to: string) => void;
  /** Drawn around points, in the axes' own values; null: that was taken away. */
  lasso?: (around: { x: number[]; y: number[] } | null) => void;
}

export type PictureFormat = 'png' | 'svg';

export interface IDrawnChart {
  update(figure: IFigure, dark: boolean): void;
  /** The address (`data:`) of a picture on white or dark ground. */
  picture(figure: IFigure, format: PictureFormat, dark: boolean, title: string): Promise<string>;
  dispose(): void;
}

/** What {@link draw} of src/chart/index.ts is. */
export type Draw = (node: HTMLElement, figure: IFigure, events: IFigureEvents, dark: boolean) => Promise<IDrawnChart>;

/** Its number is that of the interfaces above: pages may hold programs of several versions. */
const NAME = '__gcs_lab_chart_2__';

/** How a page that has the program among its own gets it; undefined: the host sends it. */
let own: (() => Promise<{ draw: Draw }>) | undefined;

/** Of a page that brings the program itself, as JupyterLab's extension does: hosts are not asked for it. */
export function bringChartLibrary(bring: () => Promise<{ draw: Draw }>): void {
  own = bring;
}

/** @param source - asks the host for the program */
export function chartLibrary(source: () => Promise<string>): Promise<Draw> {
  const page = globalThis as unknown as Record<string, Promise<Draw> | undefined>;
  const there = page[NAME];
  if (there !== undefined) {
    return there;
  }
  const loading = own === undefined ? load(source) : own().then(module => module.draw);
  page[NAME] = loading;
  // What failed is tried again the next time.
  loading.catch(() => { page[NAME] = undefined; });
  return loading;
}

async function load(source: () => Promise<string>): Promise<Draw> {
  const address = URL.createObjectURL(new Blob([await source()], { type: 'text/javascript' }));
  try {
    const module = await import(/* @vite-ignore */ address) as { draw: Draw };
    return module.draw;
  } finally {
    URL.revokeObjectURL(address);
  }
}
