// The grid: shows a window of a table that a host holds, and keeps place, selection and focus while the table changes.
import { element } from '../card/dom';
import type { IRows } from '../protocol/messages';
import { fittingWidth, leftFor, setStyle } from './column_widths';
import { ColumnLayout } from './column_layout';
import type { IGrid, IGridLayout, IGridOptions, IGridRow } from './grid_api';
import { GridBody } from './grid_body';
import { activeIn, GridFocus, HEADER } from './grid_focus';
import { GridFooter } from './grid_footer';
import { GridHands } from './grid_hands';
import { GridHeader } from './grid_header';
import { GridNotes } from './grid_notes';
import { columnMenu, columnsMenu, copyMenu } from './grid_menus';
import { placesSeen, shiftOf } from './kept_place';
import { watchGround } from './page_ground';
import { below } from './popup_menu';
import { neededColumns, RowStore } from './row_store';
import { ROW_PIXELS, ScrollRange } from './scroll_range';
import { Selection } from './selection';

/** Rows that are asked for above and below those that are seen: the next turn of the wheel finds them there. */
const AROUND = 12;
/** Rows that are asked for before the grid has a size. */
const FIRST_ROWS = 40;
const MOST_ROWS = 300;
/** What stands before the value of the first column. */
const TICK_PIXELS = 19;
const EXPANDER_PIXELS = 15;
/** As in style/grid.css. */
const HEADER_PIXELS = 30;
const SCROLL_MILLISECONDS = 60;
const SETTLE_MILLISECONDS = 120;

export class Grid implements IGrid {
  readonly node: HTMLElement;
  readonly store: RowStore;
  readonly range = new ScrollRange();
  readonly columns: ColumnLayout;
  readonly body: GridBody;
  readonly header: GridHeader;
  readonly footer: GridFooter;
  readonly chosen = new Selection();
  readonly active = new GridFocus();
  readonly expanded = new Set<string>();
  private readonly table: HTMLElement;
  private readonly pane: HTMLElement;
  private readonly canvas: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly notes: GridNotes;
  private readonly sizes: ResizeObserver;
  private readonly endGround: () => void;
  private scrolling: ReturnType<typeof setTimeout> | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private starting: ReturnType<typeof setTimeout> | undefined;
  private mending = false;
  private stale = false;
  private opened = '';

  constructor(readonly options: IGridOptions) {
    const { view, label, expandable, selectable } = options;
    this.store = new RowStore(view);
    this.columns = new ColumnLayout(options.columns, options.layout, (selectable ? TICK_PIXELS : 0) + (expandable ? EXPANDER_PIXELS : 0));
    this.body = new GridBody(expandable, selectable);
    this.header = new GridHeader(this.columns, {
      sort: (column, add) => { this.sort(() => { this.columns.cycleSort(column, add); }); },
      resize: (column, width, done) => { this.resize(column, width, done); },
      moveTo: (column, place) => { this.arrange(() => { this.columns.moveTo(column, place); }); },
      fit: column => { this.fit(column); },
      menu: (column, at) => { columnMenu(this, column, at); },
      selectAll: () => { this.selectAll(); }
    }, selectable);
    this.footer = new GridFooter(view, () => { copyMenu(this); }, () => { columnsMenu(this, below(this.footer.columns)); });
    this.notes = new GridNotes(view, () => { options.clearFilter?.(); });
    this.pane = element('div', 'gcs-pane', { role: 'presentation' }, this.header.node, this.body.node);
    this.canvas = element('div', 'gcs-canvas', { role: 'presentation' }, this.pane);
    this.scroller = element('div', 'gcs-scroller', { role: 'presentation' }, this.canvas);
    this.table = element('div', 'gcs-grid-table', {
      role: expandable ? 'treegrid' : 'grid', 'aria-label': label, 'aria-busy': 'true', tabindex: '-1',
      ...(selectable ? { 'aria-multiselectable': 'true' } : {})
    }, this.scroller);
    // JupyterLab leaves keys and the right button alone below these attributes.
    this.node = element('div', 'gcs-grid', { 'data-lm-suppress-shortcuts': 'true', 'data-jp-suppress-context-menu': '' },
      this.table, this.notes.node, this.footer.node);
    this.scroller.addEventListener('scroll', () => { this.onScroll(); }, { passive: true });
    const hands = new GridHands(this);
    hands.listen(this.table, this.body.node);
    this.sizes = new ResizeObserver(() => { this.onSize(); });
    this.sizes.observe(this.scroller);
    this.endGround = watchGround(this.node);
    this.active.set(HEADER, '', this.columns.columns[0]?.name ?? '');
    this.render(false);
    // A grid that is not in the page yet has no size: the first request waits for it, but not for long.
    this.starting = setTimeout(() => { this.ask({ anew: true }); }, 0);
  }

  // -- what who shows it asks ---------------------------------------------------------------------------------------

  receive(rows: IRows): void {
    if (rows.view !== this.options.view) {
      return;
    }
    const version = this.store.version;
    const before = placesSeen(this.range, this.store);
    const taken = this.store.take(rows);
    if (taken === 'old') {
      return;
    }
    if (taken === 'torn' && !this.mending) {
      // The host takes rows as told that are not here (any more): ask for all of them, once.
      this.mending = true;
      this.ask({ anew: true });
    }
    this.mending = taken === 'torn';
    this.range.resize(this.rows(), this.range.page);
    this.keepPlace(before);
    this.render(version >= 0 && rows.version !== version);
    this.askIfNeeded();
  }

  refresh(anew: boolean): void {
    this.ask(anew ? { anew: true } : { other: true });
  }

  toTop(): void {
    this.range.moveTo(0);
    this.settle();
  }

  layout(): IGridLayout {
    return this.columns.value();
  }

  selection(): string[] {
    return this.chosen.keys();
  }

  selectedAll(): boolean {
    return this.chosen.all;
  }

  clearSelection(): void {
    this.chosen.clear();
    this.selectionChanged();
  }

  row(key: string): IGridRow | undefined {
    return this.store.row(key);
  }

  setStale(stale: boolean): void {
    this.stale = stale;
    this.node.classList.toggle('gcs-is-stale', stale);
    this.drawFooter();
  }

  focus(): void {
    if (this.active.index === HEADER && this.rows() > 0) {
      this.active.set(0, this.store.keyAt(0) ?? '', this.active.column);
    }
    this.show(this.active.index);
    this.markActive(true);
  }

  dispose(): void {
    [this.scrolling, this.settling, this.starting].forEach(timer => { clearTimeout(timer); });
    this.sizes.disconnect();
    this.endGround();
    this.node.remove();
  }

  // -- requests -----------------------------------------------------------------------------------------------------

  rows(): number {
    return Math.max(0, this.store.matching);
  }

  ask(how: { anew?: boolean; other?: boolean }): void {
    clearTimeout(this.scrolling);
    this.scrolling = undefined;
    clearTimeout(this.starting);
    const seen = this.range.page > 0 ? this.range.endRow - this.range.firstRow : 0;
    const wanted = Math.max(seen, this.range.page > 0 ? Math.ceil(this.range.page / ROW_PIXELS) + 1 : FIRST_ROWS - 2 * AROUND);
    const first = Math.max(0, this.range.firstRow - AROUND);
    const window = { first, count: Math.min(MOST_ROWS, wanted + 2 * AROUND) };
    const names = this.columns.columns.map(({ name }) => name);
    if (how.other === true || how.anew === true) {
      this.table.setAttribute('aria-busy', 'true');
    }
    this.options.request(
      this.store.request(window, this.columns.sort, neededColumns(this.options.view, names), this.expanded, how)
    );
  }

  private askIfNeeded(): void {
    const spare = 4;
    const first = Math.max(0, this.range.firstRow - spare);
    const end = Math.min(this.rows(), this.range.endRow + spare);
    // The first request of all is on its way while the version is below 0.
    if (this.store.ready && !this.store.covers(first, end) && this.scrolling === undefined) {
      this.scrolling = setTimeout(() => {
        this.scrolling = undefined;
        this.ask({});
      }, SCROLL_MILLISECONDS);
    }
  }

  // -- place --------------------------------------------------------------------------------------------------------

  private onScroll(): void {
    this.range.scrolled(this.scroller.scrollTop);
    this.render(false);
    this.askIfNeeded();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { this.settle(); }, SETTLE_MILLISECONDS);
  }

  /** Let the scroll bar stand where the rows are. */
  private settle(): void {
    clearTimeout(this.settling);
    const top = this.range.settled();
    if (Math.abs(this.scroller.scrollTop - top) >= 1) {
      this.scroller.scrollTop = top;
    }
    this.render(false);
    this.askIfNeeded();
  }

  private onSize(): void {
    const room = this.scroller.clientHeight - this.header.node.offsetHeight;
    if (this.range.resize(this.rows(), Math.max(0, room))) {
      this.pane.style.height = `${this.scroller.clientHeight}px`;
      this.render(false);
      this.askIfNeeded();
    }
  }

  /** Bring a row into sight. */
  show(index: number): void {
    if (index >= 0) {
      const top = this.range.topFor(index);
      if (top !== this.range.top) {
        this.range.moveTo(top);
        this.settle();
      }
    }
  }

  showColumn(name: string): void {
    this.scroller.scrollLeft = leftFor(this.scroller, this.header.cell(name), this.header.cell(this.columns.columns[0]?.name ?? ''));
  }

  /** Rows that came or went above move the others: stay with what is seen, unless that is the top of the table. */
  private keepPlace(before: Map<string, number>): void {
    const shift = shiftOf(before, this.store);
    if (shift !== 0 && this.range.top > 0) {
      this.range.moveTo(this.range.top + shift * ROW_PIXELS);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => { this.settle(); }, SETTLE_MILLISECONDS);
    }
    const now = this.active.key === '' ? -1 : this.store.indexOf(this.active.key);
    if (now >= 0) {
      this.active.set(now, this.active.key, this.active.column);
    } else if (this.active.index >= this.rows()) {
      this.active.set(this.rows() - 1, '', this.active.column);
    }
  }

  // -- drawing ------------------------------------------------------------------------------------------------------

  render(flash: boolean): void {
    const { columns, store, range } = this;
    const had = activeIn(this.table);
    const within = had !== null && this.table.contains(had);
    this.header.draw();
    this.header.setTicked(this.chosen.all ? 'all' : this.chosen.size > 0 ? 'some' : 'none');
    setStyle(this.node, '--gcs-columns', columns.template());
    setStyle(this.node, '--gcs-width', `${columns.totalWidth()}px`);
    const waiting = !store.ready;
    const count = waiting ? Math.ceil(range.page / ROW_PIXELS) : this.rows();
    if (waiting) {
      range.resize(count, range.page);
    }
    // Not by a variable: all rows would inherit it, and be styled anew whenever one job comes or goes.
    const height = `${HEADER_PIXELS + range.height}px`;
    if (this.canvas.style.height !== height) {
      this.canvas.style.height = height;
    }
    this.table.setAttribute('aria-rowcount', String(waiting ? -1 : count + 1));
    this.table.setAttribute('aria-colcount', String(columns.columns.length));
    this.body.render(range, store, count, {
      columns: columns.columns, selected: key => this.chosen.has(key), expanded: key => this.expanded.has(key), opened: this.opened,
      flash, now: Date.now() / 1000
    });
    if (store.ready) {
      this.table.setAttribute('aria-busy', 'false');
    }
    this.notes.draw(store.total, store.matching, this.options.filter?.());
    this.drawFooter();
    this.markActive(within);
  }

  markActive(take: boolean): void {
    const { active } = this;
    if (active.index !== HEADER && this.rows() > 0 && active.key === '') {
      active.key = this.store.keyAt(active.index) ?? '';
    }
    const name = this.columns.columns.some(column => column.name === active.column) ? active.column : this.columns.columns[0]?.name ?? '';
    const cell = active.index === HEADER ? this.header.cell(name) : this.body.rowAt(active.index)?.cell(name);
    this.active.mark(cell, this.table, take);
  }

  private drawFooter(): void {
    this.footer.draw({
      total: this.store.total, matching: this.rows(), leftOut: this.store.leftOut, selected: this.chosen.size, all: this.chosen.all, stale: this.stale
    });
  }

  // -- deeds --------------------------------------------------------------------------------------------------------

  sort(how: () => void): void {
    how();
    this.range.moveTo(0);
    this.settle();
    this.ask({ other: true });
    this.options.changed(this.layout());
  }

  arrange(how: () => void): void {
    const before = this.columns.columns.length;
    how();
    this.render(false);
    if (this.columns.columns.length > before) {
      this.ask({ other: true });
    }
    this.options.changed(this.layout());
  }

  private resize(column: string, width: number, done: boolean): void {
    this.columns.setWidth(column, width);
    this.render(false);
    if (done) {
      this.options.changed(this.layout());
    }
  }

  fit(column: string): void {
    this.resize(column, fittingWidth(this.header.cell(column), this.body.cellsOf(column)), true);
  }

  expand(key: string, on: boolean): void {
    if (on) {
      this.expanded.add(key);
    } else {
      this.expanded.delete(key);
    }
    this.render(false);
    this.ask({});
  }

  open(row: IGridRow | null): void {
    if (row !== null || this.opened !== '') {
      this.opened = row?.key ?? '';
      this.render(false);
      this.options.open(row);
    }
  }

  isOpen(): boolean {
    return this.opened !== '';
  }

  selectAll(): void {
    if (!this.options.selectable) {
      return;
    }
    if (this.chosen.all) {
      this.chosen.clear();
    } else {
      this.chosen.selectAll(this.store.keys);
      this.footer.say('all that match are selected');
    }
    this.selectionChanged();
  }

  selectionChanged(): void {
    this.render(false);
    this.options.selected(this.chosen.keys());
  }

  /** The rows that a copy or a menu is about: the selected ones, else the one with the keyboard. */
  meant(): string[] | 'matching' {
    if (this.chosen.all) {
      return 'matching';
    }
    const keys = this.chosen.keys();
    return keys.length > 0 ? keys : this.active.key === '' ? [] : [this.active.key];
  }

  copy(format: 'text' | 'csv' | 'qdel', keys: string[] | 'matching' = this.meant()): void {
    if (keys === 'matching' || keys.length > 0) {
      this.options.copy(format, keys, this.columns.columns.map(({ name }) => name));
    } else {
      this.footer.say('nothing is selected: nothing was copied');
    }
  }
}
