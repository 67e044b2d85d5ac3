// The rows in the page: those that are seen and a few around them. Rows keep their element as long as they are seen,
// so that focus, hover and animations stay with the row when others come and go.
import { element } from '../card/dom';
import { activeIn } from './grid_focus';
import type { IColumn } from '../protocol/messages';
import type { RowStore } from './row_store';
import { RowView } from './row_view';
import { ROW_PIXELS, type ScrollRange } from './scroll_range';

/** Rows in the page above and below those that are seen. */
const AROUND = 3;
/** Rows are placed by an edge nearby: transforms of tens of millions of pixels are not exact. */
const EDGE_ROWS = 10_000;

/** So long a changed cell is seen as changed. */
const LIT_MILLISECONDS = 900;

export interface IBodyLook {
  columns: readonly IColumn[];
  selected(key: string): boolean;
  expanded(key: string): boolean;
  opened: string;
  flash: boolean;
  now: number;
}

export class GridBody {
  readonly node = element('div', 'gcs-rows', { role: 'rowgroup' });
  private readonly shift = element('div', 'gcs-rows-shift', { role: 'presentation' });
  private readonly views = new Map<string, RowView>();
  private readonly byIndex = new Map<number, RowView>();
  private readonly spare: RowView[] = [];
  /** Cells that are seen as changed, and since when. */
  private readonly lit = new Map<HTMLElement, number>();

  constructor(private readonly expandable: boolean, private readonly selectable: boolean) {
    this.node.append(this.shift);
  }

  /** Bring the page to what store and range say; elements that are right are not touched. */
  render(range: ScrollRange, store: RowStore, count: number, look: IBodyLook): void {
    const edge = Math.floor(range.firstRow / EDGE_ROWS) * EDGE_ROWS;
    const first = Math.max(0, range.firstRow - AROUND);
    const end = Math.min(count, range.endRow + AROUND);
    const wanted: [string, number][] = [];
    const keys = new Set<string>();
    for (let index = first; index < end; index += 1) {
      const known = store.keyAt(index);
      // A key that stands twice would fight for one element.
      const key = known === undefined || keys.has(known) ? `#${index}` : known;
      keys.add(key);
      wanted.push([key, index]);
    }
    for (const [key, view] of this.views) {
      if (!keys.has(key)) {
        this.views.delete(key);
        this.unlight([...view.node.children]);
        this.spare.push(view);
      }
    }
    this.byIndex.clear();
    const ordered = wanted.map(([key, index]) => {
      const view = this.viewOf(key);
      view.setColumns(look.columns);
      const changed = view.patch(key, store.rowAt(index), look.now);
      if (look.flash) {
        this.light(changed);
      }
      view.place({
        index, y: (index - edge) * ROW_PIXELS, selected: look.selected(key), expanded: look.expanded(key), opened: key === look.opened
      });
      this.byIndex.set(index, view);
      return view.node;
    });
    this.spare.forEach(view => { view.node.remove(); });
    this.spare.length = Math.min(this.spare.length, 60);
    this.arrange(ordered);
    this.scrolled(range, edge);
  }

  rowAt(index: number): RowView | undefined {
    return this.byIndex.get(index);
  }

  /** The row that an element belongs to. */
  rowOf(node: Element): RowView | undefined {
    const line = node.closest('.gcs-row-line');
    return [...this.byIndex.values()].find(view => view.node === line);
  }

  /** Cells of a column that are in the page. */
  cellsOf(column: string): HTMLElement[] {
    return [...this.byIndex.values()].flatMap(view => view.cell(column) ?? []);
  }

  /** No animation: of a hundred cells at once it would cost many times what drawing them does. */
  private light(cells: HTMLElement[]): void {
    if (cells.length === 0) {
      return;
    }
    const now = Date.now();
    cells.forEach(cell => {
      this.lit.set(cell, now);
      cell.classList.add('gcs-changed');
    });
    setTimeout(() => { this.unlight(cells.filter(cell => this.lit.get(cell) === now)); }, LIT_MILLISECONDS);
  }

  private unlight(cells: Element[]): void {
    if (this.lit.size > 0) {
      cells.forEach(cell => {
        if (this.lit.delete(cell as HTMLElement)) {
          cell.classList.remove('gcs-changed');
        }
      });
    }
  }

  private scrolled(range: ScrollRange, edge: number): void {
    this.shift.style.transform = `translateY(${edge * ROW_PIXELS - range.top}px)`;
  }

  private viewOf(key: string): RowView {
    let view = this.views.get(key);
    if (view === undefined) {
      view = this.spare.pop() ?? new RowView(this.expandable, this.selectable);
      this.views.set(key, view);
    }
    return view;
  }

  /** Put the elements in order. The one with the focus is never moved itself: it would lose it. */
  private arrange(nodes: HTMLElement[]): void {
    const focused = nodes.find(node => node.contains(activeIn(node)));
    let at = this.shift.firstChild;
    for (const node of nodes) {
      if (node === at) {
        at = at.nextSibling;
      } else if (node === focused) {
        while (at !== null && at !== node) {
          const next = at.nextSibling;
          this.shift.append(at);
          at = next;
        }
        at = node.nextSibling;
      } else {
        this.shift.insertBefore(node, at);
      }
    }
  }
}
