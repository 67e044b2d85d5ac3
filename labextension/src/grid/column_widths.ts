// Widths of columns as the page has them.

/** Padding of a cell, and a little more. */
const AROUND_PIXELS = 26;
/** What a header has beside its label: padding, and the sign of a sort. */
const HEADER_PIXELS = 38;

/** The width at which nothing of a column is cut off, as far as its rows are in the page. */
export function fittingWidth(head: HTMLElement | undefined, cells: HTMLElement[]): number {
  const label = head?.querySelector<HTMLElement>('.gcs-label');
  return Math.max((label?.scrollWidth ?? 0) + HEADER_PIXELS, ...cells.map(contentWidth));
}

function contentWidth(cell: HTMLElement): number {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return range.getBoundingClientRect().width + AROUND_PIXELS;
}

/** Written only when it differs: a variable that is written is a style that is worked out anew. */
export function setStyle(node: HTMLElement, name: string, value: string): void {
  if (node.style.getPropertyValue(name) !== value) {
    node.style.setProperty(name, value);
  }
}

/** How far to the right a table is to be scrolled, to show a column beside the first one, which is always seen. */
export function leftFor(scroller: HTMLElement, head: HTMLElement | undefined, first: HTMLElement | undefined): number {
  if (head === undefined || first === undefined) {
    return scroller.scrollLeft;
  }
  if (head === first) {
    return 0;
  }
  const most = head.offsetLeft - first.offsetWidth;
  const least = head.offsetLeft + head.offsetWidth - scroller.clientWidth;
  return Math.max(Math.min(scroller.scrollLeft, most), least);
}
