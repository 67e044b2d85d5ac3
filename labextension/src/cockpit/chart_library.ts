// The chart library: 1 MB that the host sends when a chart is first shown, once for all cockpits of a page.
import type { CockpitStore } from './store';

export interface IDrawnChart {
  update(figure: IFigure, dark: boolean): void;
  dispose(): void;
}

export interface IFigure {
  data: unknown[];
  layout: Record<string, unknown>;
}

/** What {@link draw} of src/chart/index.ts is. */
export type Draw = (node: HTMLElement, figure: IFigure, onClick: (names: string[]) => void, dark: boolean) => Promise<IDrawnChart>;

const NAME = '__gcs_lab_chart_1__';

export function chartLibrary(store: CockpitStore): Promise<Draw> {
  const page = globalThis as unknown as Record<string, Promise<Draw> | undefined>;
  const there = page[NAME];
  if (there !== undefined) {
    return there;
  }
  const loading = load(store);
  page[NAME] = loading;
  // What failed is tried again the next time.
  loading.catch(() => { page[NAME] = undefined; });
  return loading;
}

async function load(store: CockpitStore): Promise<Draw> {
  const { source } = await store.connection.ask('module', { name: 'chart' });
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  try {
    const module = await import(/* @vite-ignore */ address) as { draw: Draw };
    return module.draw;
  } finally {
    URL.revokeObjectURL(address);
  }
}
