// What is used of plotly.js; this bundle has no types of its own.
declare module 'plotly.js-cartesian-dist-min' {
  type Draw = (node: HTMLElement, data: unknown[], layout: object, config: object) => Promise<unknown>;

  const Plotly: {
    newPlot: Draw;
    react: Draw;
    purge(node: HTMLElement): void;
    relayout(node: HTMLElement, layout: object): Promise<unknown>;
    toImage(figure: { data: unknown[]; layout: object }, options: { format: 'png' | 'svg'; width: number; height: number; scale?: number }): Promise<string>;
    Plots: { resize(node: HTMLElement): Promise<unknown> | undefined };
  };
  export default Plotly;
}
