// What mouse and keyboard do in the grid.
import { narrowValue } from './cell_draw';
import { isState, tipText } from './cell_text';
import type { Grid } from './grid';
import { activeIn, HEADER, stepOf } from './grid_focus';
import { isArray } from './row_store';
import { ROW_PIXELS } from './scroll_range';

interface IPlace {
  index: number;
  key: string;
  column: string;
}

export class GridHands {
  constructor(private readonly grid: Grid) {}

  listen(table: HTMLElement, body: HTMLElement): void {
    table.addEventListener('keydown', event => { this.onKey(event); });
    table.addEventListener('focusin', event => { this.onFocus(event); });
    body.addEventListener('mousedown', event => {
      // A range or a double click is no selection of text.
      if (event.shiftKey || event.detail > 1) {
        event.preventDefault();
      }
    });
    body.addEventListener('click', event => { this.onClick(event); });
    body.addEventListener('dblclick', event => {
      const place = this.placeOf(event.target);
      if (place !== undefined && doesOf(event.target) === undefined) {
        this.grid.open(this.grid.row(place.key) ?? null);
      }
    });
    body.addEventListener('contextmenu', event => {
      const place = this.placeOf(event.target);
      if (place !== undefined && this.grid.options.menu !== undefined) {
        event.preventDefault();
        this.menu(place, event.clientX, event.clientY);
      }
    });
    body.addEventListener('mouseover', event => { this.tip(event.target); });
  }

  // -- mouse --------------------------------------------------------------------------------------------------------

  private onClick(event: MouseEvent): void {
    const { grid } = this;
    const place = this.placeOf(event.target);
    if (place === undefined || place.key.startsWith('#')) {
      return;
    }
    grid.active.set(place.index, place.key, place.column);
    const does = doesOf(event.target);
    if (does === 'narrow') {
      this.narrow(place);
    } else if (does === 'open') {
      grid.open(grid.row(place.key) ?? null);
    } else if (does === 'expand') {
      grid.expand(place.key, !grid.expanded.has(place.key));
    } else if (grid.options.selectable) {
      this.select(place, does === 'tick' || event.ctrlKey || event.metaKey, event.shiftKey);
    }
    grid.markActive(does === undefined || does === 'tick');
  }

  private select(place: IPlace, toggle: boolean, range: boolean): void {
    const { chosen, store, footer } = this.grid;
    if (range) {
      const unknown = chosen.extend(place.index, store);
      if (unknown > 0) {
        footer.say(`${unknown} rows between were not loaded, and are not selected`);
      }
    } else if (toggle) {
      chosen.toggle(place.key, place.index);
    } else {
      chosen.only(place.key, place.index);
    }
    this.grid.selectionChanged();
  }

  private narrow(place: IPlace): void {
    const column = this.grid.columns.find(place.column);
    const row = this.grid.row(place.key);
    const value = column === undefined || row === undefined ? '' : narrowValue(column, row);
    if (column !== undefined && value !== '') {
      this.grid.options.narrow(isState(column) ? 'state' : column.name, value);
    }
  }

  private menu(place: IPlace, x: number, y: number): void {
    const { chosen, active, options } = this.grid;
    active.set(place.index, place.key, place.column);
    if (options.selectable && !chosen.has(place.key)) {
      this.select(place, false, false);
    }
    this.grid.markActive(true);
    options.menu?.(x, y, chosen.size > 0 ? chosen.keys() : [place.key]);
  }

  private tip(target: EventTarget | null): void {
    const cell = target instanceof Element ? target.closest<HTMLElement>('.gcs-cell') : null;
    const place = this.placeOf(target);
    const column = place === undefined ? undefined : this.grid.columns.find(place.column);
    const row = place === undefined ? undefined : this.grid.row(place.key);
    if (cell !== null && column !== undefined && row !== undefined) {
      cell.title = tipText(column, row, Date.now() / 1000);
    }
  }

  private placeOf(target: EventTarget | null): IPlace | undefined {
    const cell = target instanceof Element ? target.closest<HTMLElement>('.gcs-cell') : null;
    const view = cell === null ? undefined : this.grid.body.rowOf(cell);
    const column = cell?.dataset.column;
    return view === undefined || column === undefined ? undefined : { index: view.index, key: view.key, column };
  }

  private onFocus(event: FocusEvent): void {
    const { active } = this.grid;
    const place = this.placeOf(event.target);
    const head = event.target instanceof Element ? event.target.closest<HTMLElement>('.gcs-head-cell')?.dataset.column : undefined;
    if (place !== undefined) {
      active.set(place.index, place.key.startsWith('#') ? '' : place.key, place.column);
    } else if (head !== undefined) {
      active.set(HEADER, '', head);
    }
    if (place !== undefined || head !== undefined) {
      this.grid.markActive(false);
    }
  }

  // -- keyboard -----------------------------------------------------------------------------------------------------

  private onKey(event: KeyboardEvent): void {
    const { grid } = this;
    const { target } = event;
    const inButton = target instanceof HTMLElement && target.closest('.gcs-cell button') !== null;
    const heard = inButton
      ? this.keyInButton(event, target)
      : grid.active.index === HEADER
        ? grid.header.key(event, grid.active.column) || this.keyAnywhere(event)
        : this.keyOnRow(event) || this.keyAnywhere(event);
    if (heard) {
      event.preventDefault();
    }
    // Lumino, VS Code and the notebook have their own meanings for most keys.
    if (heard || inButton || event.key.length === 1) {
      event.stopPropagation();
    }
  }

  /** Within a cell: its button is pressed by Enter, and Escape goes back to the cell. */
  private keyInButton(event: KeyboardEvent, button: HTMLElement): boolean {
    if (event.key === 'Escape' || event.key === 'F2' || event.key.startsWith('Arrow')) {
      button.closest<HTMLElement>('.gcs-cell')?.focus({ preventScroll: true });
      return true;
    }
    return false;
  }

  private keyOnRow(event: KeyboardEvent): boolean {
    const { grid } = this;
    const { active } = grid;
    const place = { index: active.index, key: active.key, column: active.column };
    const row = grid.row(active.key);
    const whole = event.ctrlKey || event.metaKey;
    const firstColumn = grid.columns.columns[0]?.name === active.column;
    if (event.key === 'Enter' && row !== undefined) {
      grid.open(row);
    } else if (event.key === 'F2') {
      grid.body.rowAt(active.index)?.cell(active.column)?.querySelector<HTMLElement>('button')?.focus({ preventScroll: true });
    } else if (event.key === ' ' && grid.options.selectable && row !== undefined) {
      this.select(place, !event.shiftKey, event.shiftKey);
    } else if (event.key === 'ArrowRight' && !whole && firstColumn && row !== undefined && isArray(row) && this.closed(row.key)) {
      grid.expand(row.key, true);
    } else if (event.key === 'ArrowLeft' && !whole && firstColumn && row !== undefined) {
      return this.collapse(row.key, row.level);
    } else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      const box = grid.body.rowAt(active.index)?.cell(active.column)?.getBoundingClientRect();
      this.menu(place, box?.left ?? 0, box?.bottom ?? 0);
    } else {
      return false;
    }
    return true;
  }

  private closed(key: string): boolean {
    return this.grid.options.expandable && !this.grid.expanded.has(key);
  }

  /** An open array is closed; from a task one comes to its array. */
  private collapse(key: string, level: number): boolean {
    const { grid } = this;
    if (grid.expanded.has(key)) {
      grid.expand(key, false);
      return true;
    }
    for (let index = grid.active.index - 1; level > 1 && index >= 0; index -= 1) {
      const above = grid.store.rowAt(index);
      if (above === undefined) {
        return true;
      }
      if (above.level < level) {
        this.go(index, grid.active.column);
        return true;
      }
    }
    return true;
  }

  private keyAnywhere(event: KeyboardEvent): boolean {
    const { grid } = this;
    const whole = event.ctrlKey || event.metaKey;
    if (whole && event.key.toLowerCase() === 'a' && grid.options.selectable) {
      if (!grid.chosen.all) {
        grid.selectAll();
      }
      return true;
    }
    if (whole && event.key.toLowerCase() === 'c') {
      // Text that somebody marked with the mouse is what he wants to copy.
      if (grid.node.ownerDocument.getSelection()?.isCollapsed === false) {
        return false;
      }
      grid.copy('text');
      return true;
    }
    if (event.key === 'Escape') {
      if (grid.isOpen()) {
        grid.open(null);
      } else if (grid.chosen.size > 0 || grid.chosen.all) {
        grid.clearSelection();
      } else {
        return false;
      }
      return true;
    }
    return !event.altKey && this.step(event);
  }

  private step(event: KeyboardEvent): boolean {
    const { grid } = this;
    const { active } = grid;
    const step = stepOf(event, Math.max(1, Math.floor(grid.range.page / ROW_PIXELS) - 1));
    if (step === undefined) {
      return false;
    }
    const names = grid.columns.columns.map(({ name }) => name);
    const column = names[clamp(Math.max(0, names.indexOf(active.column)) + step.columns, 0, names.length - 1)] ?? '';
    // Up from the first row is the header; a leap stays within the rows.
    const least = step.rows === -1 || active.index === HEADER ? HEADER : 0;
    const index = clamp(active.index + step.rows, least, grid.rows() - 1);
    const ranges = event.shiftKey && step.rows !== 0 && grid.options.selectable && index !== HEADER && active.index !== HEADER;
    if (ranges) {
      // Where nothing was selected yet, the range begins here.
      grid.chosen.extend(active.index, grid.store);
    }
    this.go(index, column);
    if (ranges) {
      grid.chosen.extend(index, grid.store);
      grid.selectionChanged();
    }
    return true;
  }

  private go(index: number, column: string): void {
    const { grid } = this;
    grid.active.set(index, index === HEADER ? '' : grid.store.keyAt(index) ?? '', column);
    grid.show(index);
    grid.showColumn(column);
    grid.markActive(activeIn(grid.node) !== null);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** What a press on an element within a cell does. */
function doesOf(target: EventTarget | null): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>('[data-does]')?.dataset.does : undefined;
}
