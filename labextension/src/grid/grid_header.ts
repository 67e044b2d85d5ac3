// The header of the grid: sorts, resizes and moves columns, by mouse and by keyboard.
import { element } from '../card/dom';
import type { IColumn } from '../protocol/messages';
import { isRight } from './cell_text';
import type { ColumnLayout } from './column_layout';

const STEP_PIXELS = 16;
/** Farther than this a press has become a drag. */
const DRAG_PIXELS = 5;

export interface IHeaderDeeds {
  sort(column: string, add: boolean): void;
  /** `done` is false while the mouse still moves. */
  resize(column: string, width: number, done: boolean): void;
  moveTo(column: string, place: number): void;
  fit(column: string): void;
  menu(column: string, at: { x: number; y: number }): void;
  selectAll(): void;
}

export class GridHeader {
  readonly node = element('div', 'gcs-header', { role: 'rowgroup' });
  private readonly line = element('div', 'gcs-header-line', { role: 'row', 'aria-rowindex': '1' });
  private columns: readonly IColumn[] = [];
  /** A drag ends with a click, which then sorts nothing. */
  private dragged = false;

  constructor(private readonly layout: ColumnLayout, private readonly deeds: IHeaderDeeds, private readonly selectable: boolean) {
    this.node.append(this.line);
    this.line.addEventListener('click', event => { this.onClick(event); });
    this.line.addEventListener('dblclick', event => {
      const name = this.nameOf(event.target);
      if (name !== undefined && isGrip(event.target)) {
        this.deeds.fit(name);
      }
    });
    this.line.addEventListener('contextmenu', event => {
      const name = this.nameOf(event.target);
      if (name !== undefined) {
        event.preventDefault();
        this.deeds.menu(name, { x: event.clientX, y: event.clientY });
      }
    });
    this.line.addEventListener('pointerdown', event => { this.onPointer(event); });
  }

  draw(): void {
    const { layout } = this;
    if (this.columns !== layout.columns) {
      const focused = this.nameOf(this.node.ownerDocument.activeElement);
      this.columns = layout.columns;
      this.line.replaceChildren(...this.columns.map((column, place) => this.make(column, place)));
      if (focused !== undefined) {
        this.cell(focused)?.focus({ preventScroll: true });
      }
    }
    this.columns.forEach((column, place) => {
      const cell = this.line.children[place] as HTMLElement;
      const rank = layout.sort.findIndex(([name]) => name === column.name);
      const order = layout.orderOf(column.name);
      if (column.sortable) {
        cell.setAttribute('aria-sort', order ?? 'none');
      }
      cell.dataset.sort = order ?? '';
      const sign = cell.querySelector<HTMLElement>('.gcs-sort');
      if (sign !== null) {
        sign.textContent = order === undefined ? '' : `${order === 'ascending' ? '▲' : '▼'}${layout.sort.length > 1 ? rank + 1 : ''}`;
      }
    });
  }

  cell(column: string): HTMLElement | undefined {
    return this.line.children[this.columns.findIndex(({ name }) => name === column)] as HTMLElement | undefined;
  }

  /** What a key does on the header of a column; whether it does anything. */
  key(event: KeyboardEvent, column: string): boolean {
    const forth = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (event.altKey && forth !== 0 && event.shiftKey) {
      this.deeds.moveTo(column, this.columns.findIndex(({ name }) => name === column) + forth);
    } else if (event.altKey && forth !== 0) {
      this.deeds.resize(column, this.layout.width(column) + forth * STEP_PIXELS, true);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.deeds.sort(column, event.shiftKey);
    } else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      const box = this.cell(column)?.getBoundingClientRect();
      this.deeds.menu(column, { x: box?.left ?? 0, y: box?.bottom ?? 0 });
    } else {
      return false;
    }
    return true;
  }

  setTicked(ticked: 'all' | 'some' | 'none'): void {
    this.line.querySelector<HTMLElement>('.gcs-tick')?.setAttribute('data-ticked', ticked);
  }

  private make(column: IColumn, place: number): HTMLElement {
    const label = element('span', 'gcs-label', {}, column.label);
    const sign = element('span', 'gcs-sort', { 'aria-hidden': 'true' });
    const grip = element('span', 'gcs-grip', { 'aria-hidden': 'true' });
    const tick = element('span', 'gcs-tick', { 'aria-hidden': 'true', title: 'Select all that match (Ctrl+A)' });
    return element('div', `gcs-head-cell${isRight(column.type) ? ' gcs-right' : ''}${place === 0 ? ' gcs-first' : ''}`, {
      role: 'columnheader', tabindex: '-1', 'aria-colindex': String(place + 1), 'data-column': column.name, title: column.help,
      ...(column.sortable ? { 'data-sortable': '' } : {})
    }, ...(place === 0 && this.selectable ? [tick] : []), label, sign, grip);
  }

  private nameOf(target: EventTarget | null): string | undefined {
    return target instanceof Element ? target.closest<HTMLElement>('.gcs-head-cell')?.dataset.column : undefined;
  }

  private onClick(event: MouseEvent): void {
    const name = this.nameOf(event.target);
    if (this.dragged || name === undefined || isGrip(event.target)) {
      this.dragged = false;
    } else if (event.target instanceof Element && event.target.closest('.gcs-tick') !== null) {
      this.deeds.selectAll();
    } else {
      this.deeds.sort(name, event.shiftKey || event.ctrlKey || event.metaKey);
    }
  }

  private onPointer(down: PointerEvent): void {
    const name = this.nameOf(down.target);
    const cell = name === undefined ? undefined : this.cell(name);
    this.dragged = false;
    if (name === undefined || cell === undefined || down.button !== 0) {
      return;
    }
    const page = this.node.ownerDocument;
    const grip = isGrip(down.target);
    if (grip || down.shiftKey) {
      down.preventDefault();
    }
    const width = this.layout.width(name);
    const step = (event: PointerEvent) => {
      const by = event.clientX - down.clientX;
      if (grip) {
        this.deeds.resize(name, width + by, false);
        this.dragged = true;
      } else if (this.dragged || Math.abs(by) > DRAG_PIXELS) {
        this.dragged = true;
        cell.classList.add('gcs-dragged');
        cell.style.translate = `${by}px`;
        this.markDrop(event.clientX, name);
      }
    };
    const end = (event: PointerEvent) => {
      page.removeEventListener('pointermove', step);
      page.removeEventListener('pointerup', end);
      page.removeEventListener('pointercancel', end);
      cell.classList.remove('gcs-dragged');
      cell.style.translate = '';
      const drop = this.markDrop(event.clientX, name, false);
      if (event.type === 'pointerup' && this.dragged) {
        if (grip) {
          this.deeds.resize(name, width + event.clientX - down.clientX, true);
        } else {
          this.deeds.moveTo(name, drop);
        }
      }
    };
    // Not captured: a pointer that is clicks on what captured it, and no column would ever be clicked on.
    page.addEventListener('pointermove', step);
    page.addEventListener('pointerup', end);
    page.addEventListener('pointercancel', end);
  }

  /** Show where a dragged column would go; returns its place among the others. */
  private markDrop(x: number, dragged: string, show = true): number {
    const cells = [...this.line.children] as HTMLElement[];
    const others = cells.filter(cell => cell.dataset.column !== dragged);
    const place = others.filter(cell => {
      const box = cell.getBoundingClientRect();
      return box.left + box.width / 2 < x;
    }).length;
    cells.forEach(cell => { cell.classList.remove('gcs-drop-before', 'gcs-drop-after'); });
    if (show) {
      others[place]?.classList.add('gcs-drop-before');
      if (place === others.length) {
        others[place - 1]?.classList.add('gcs-drop-after');
      }
    }
    return place;
  }
}

function isGrip(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('.gcs-grip') !== null;
}
