// One row in the page. It is patched cell by cell: what a cell shows already is left alone.
import { element, icon } from '../card/dom';
import type { IColumn } from '../protocol/messages';
import { drawCell, markOf } from './cell_draw';
import { isRight } from './cell_text';
import type { IGridRow } from './grid_api';
import { isArray } from './row_store';

const RIGHT = 'M6 4l4 4-4 4';

export interface IRowLook {
  index: number;
  /** Pixels below the edge that rows are placed by. */
  y: number;
  selected: boolean;
  expanded: boolean;
  opened: boolean;
}

export class RowView {
  readonly node = element('div', 'gcs-row-line', { role: 'row' });
  key = '';
  index = -1;
  private row: IGridRow | undefined;
  private columns: readonly IColumn[] = [];
  private readonly values: HTMLElement[] = [];
  private marks: (string | undefined)[] = [];
  private look = '';
  private expander: HTMLElement | undefined;

  constructor(private readonly expandable: boolean, private readonly selectable: boolean) {}

  /** Make the cells for these columns anew, if they are others than before. */
  setColumns(columns: readonly IColumn[]): void {
    if (columns === this.columns) {
      return;
    }
    this.columns = columns;
    this.marks = [];
    this.values.length = 0;
    this.look = '';
    this.node.replaceChildren(...columns.map((column, place) => {
      const cell = element('div', `gcs-cell gcs-type-${column.type}${isRight(column.type) ? ' gcs-right' : ''}`, {
        role: 'gridcell', tabindex: '-1', 'aria-colindex': String(place + 1), 'data-column': column.name
      });
      const value = place === 0 ? element('span', 'gcs-value') : cell;
      if (place === 0) {
        this.expander = element('span', 'gcs-expander', { 'data-does': 'expand', 'aria-hidden': 'true' }, icon(RIGHT));
        const mark = element('span', 'gcs-tick', { 'data-does': 'tick', 'aria-hidden': 'true' }, icon('M3.5 8.5l3 3.2 6-7.2'));
        cell.classList.add('gcs-first');
        cell.append(...(this.selectable ? [mark] : []), ...(this.expandable ? [this.expander] : []), value);
      }
      this.values.push(value);
      return cell;
    }));
  }

  /** The row has another place or look; its content by {@link patch}. */
  place(look: IRowLook): void {
    const text = `${look.index} ${look.y} ${Number(look.selected)} ${Number(look.expanded)} ${Number(look.opened)} ${this.kind()}`;
    if (text === this.look) {
      return;
    }
    this.look = text;
    this.node.style.transform = `translateY(${look.y}px)`;
    if (look.index !== this.index) {
      this.index = look.index;
      this.node.setAttribute('aria-rowindex', String(look.index + 2));
      this.node.classList.toggle('gcs-odd', look.index % 2 === 1);
    }
    if (this.selectable) {
      this.node.setAttribute('aria-selected', String(look.selected));
    }
    this.node.classList.toggle('gcs-opened', look.opened);
    const array = this.row !== undefined && this.expandable && isArray(this.row);
    if (array) {
      this.node.setAttribute('aria-expanded', String(look.expanded));
    } else {
      this.node.removeAttribute('aria-expanded');
    }
    if (this.expandable) {
      this.node.setAttribute('aria-level', String(this.row?.level ?? 1));
      this.expander?.classList.toggle('gcs-none', !array);
    }
    this.node.classList.toggle('gcs-below', (this.row?.level ?? 1) > 1);
  }

  /**
   * Show the values of a row; undefined: they have not come yet.
   *
   * @returns the cells that say something else than before of the same row
   */
  patch(key: string, row: IGridRow | undefined, now: number): HTMLElement[] {
    const same = key === this.key && this.row !== undefined;
    if (same && row?.cells === this.row?.cells && row?.level === this.row?.level && this.marks.length > 0) {
      return [];
    }
    this.key = key;
    this.row = row;
    this.node.classList.toggle('gcs-skeleton', row === undefined);
    if (row === undefined) {
      if (this.marks.length > 0) {
        this.marks = [];
        this.values.forEach(value => { value.textContent = ''; });
      }
      this.node.setAttribute('aria-busy', 'true');
      return [];
    }
    if (this.marks.length === 0) {
      this.node.removeAttribute('aria-busy');
    }
    return this.columns.flatMap((column, place) => {
      const mark = markOf(column, row, now);
      const value = this.values[place];
      const before = this.marks[place];
      if (value === undefined || mark === before) {
        return [];
      }
      drawCell(value, column, row, mark, place === 0);
      this.marks[place] = mark;
      // What only counts the time is no news.
      return same && before !== undefined && column.type !== 'duration' ? [this.node.children[place] as HTMLElement] : [];
    });
  }

  cell(column: string): HTMLElement | undefined {
    const place = this.columns.findIndex(({ name }) => name === column);
    return this.node.children[place] as HTMLElement | undefined;
  }

  private kind(): string {
    return this.row === undefined ? '' : `${this.row.level} ${Number(this.expandable && isArray(this.row))}`;
  }
}
