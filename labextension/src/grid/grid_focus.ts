// Which cell of the grid has the keyboard. One cell alone is in the order of Tab; the arrows go between cells.

/** The header is the row before the first. */
export const HEADER = -1;

export class GridFocus {
  index = HEADER;
  /** Of the row; '' for the header, and where it is not known. */
  key = '';
  column = '';
  private marked: HTMLElement | undefined;

  set(index: number, key: string, column: string): void {
    this.index = index;
    this.key = key;
    this.column = column;
  }

  /**
   * Let `cell` be the one in the order of Tab.
   *
   * @param cell - undefined: it is not in the page, and `instead` stands for it
   * @param take - whether it takes the keyboard now
   */
  mark(cell: HTMLElement | undefined, instead: HTMLElement, take: boolean): void {
    const next = cell ?? instead;
    if (this.marked !== next) {
      this.marked?.setAttribute('tabindex', '-1');
      next.setAttribute('tabindex', '0');
      this.marked = next;
    }
    if (take && !next.contains(activeIn(next))) {
      next.focus({ preventScroll: true });
    }
  }
}

/** The element with the keyboard, also within a shadow root. */
export function activeIn(node: Node): Element | null {
  const root = node.getRootNode();
  return 'activeElement' in root ? (root as Document | ShadowRoot).activeElement : null;
}

/** How far a key goes: rows and columns; undefined: it goes nowhere. */
export function stepOf(event: KeyboardEvent, page: number): { rows: number; columns: number } | undefined {
  const whole = event.ctrlKey || event.metaKey;
  switch (event.key) {
    case 'ArrowDown':
      return { rows: whole ? Infinity : 1, columns: 0 };
    case 'ArrowUp':
      return { rows: whole ? -Infinity : -1, columns: 0 };
    case 'ArrowRight':
      return { rows: 0, columns: whole ? Infinity : 1 };
    case 'ArrowLeft':
      return { rows: 0, columns: whole ? -Infinity : -1 };
    case 'PageDown':
      return { rows: page, columns: 0 };
    case 'PageUp':
      return { rows: -page, columns: 0 };
    case 'Home':
      return { rows: whole ? -Infinity : 0, columns: whole ? 0 : -Infinity };
    case 'End':
      return { rows: whole ? Infinity : 0, columns: whole ? 0 : Infinity };
    default:
      return undefined;
  }
}
