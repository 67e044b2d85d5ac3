// Where in a table a scroll bar stands. A browser lays out some millions of pixels at most (Firefox 17.8, Chromium
// 33.5), a table of a million rows is higher: beyond `MOST_PIXELS` the scroll bar is a smaller copy of the table.

export const ROW_PIXELS = 28;
const MOST_PIXELS = 8_000_000;

export class ScrollRange {
  /** Pixels of rows above the first one that is seen. */
  top = 0;
  private count = 0;
  private seen = 0;
  private last = 0;

  /** @param row - pixels that each row is high */
  constructor(private readonly row: number = ROW_PIXELS) {}

  /** Pixels that the scrolled element is high. */
  get height(): number {
    return Math.min(this.count * this.row, MOST_PIXELS);
  }

  /** Pixels of the rows that can be seen at once. */
  get page(): number {
    return this.seen;
  }

  get firstRow(): number {
    return Math.floor(this.top / this.row);
  }

  /** The row after the last one that is seen, also in part. */
  get endRow(): number {
    return Math.min(this.count, Math.ceil((this.top + this.seen) / this.row));
  }

  /** @returns whether it differs from before */
  resize(count: number, seen: number): boolean {
    if (count === this.count && seen === this.seen) {
      return false;
    }
    this.count = count;
    this.seen = seen;
    this.top = Math.max(0, Math.min(this.top, this.mostTop()));
    return true;
  }

  /**
   * The scroll bar was moved. Steps within a page are as many pixels of rows: a wheel goes on row by row, however small
   * the copy is. A leap goes to the same part of the table.
   */
  scrolled(scrollTop: number): void {
    const step = scrollTop - this.last;
    this.last = scrollTop;
    if (scrollTop <= 0) {
      this.top = 0;
    } else if (scrollTop >= this.mostScroll() - 1) {
      this.top = this.mostTop();
    } else if (this.scale() !== 1 && Math.abs(step) > this.seen) {
      this.top = scrollTop * this.scale();
    } else {
      this.top += step;
    }
    this.top = Math.max(0, Math.min(this.top, this.mostTop()));
  }

  /** Show so many pixels of rows above; the scroll bar follows by {@link settled}. */
  moveTo(top: number): void {
    this.top = Math.max(0, Math.min(Math.round(top), this.mostTop()));
  }

  /** Where the scroll bar should stand; asked for when nobody moves it. */
  settled(): number {
    this.last = Math.round(this.top / this.scale());
    return this.last;
  }

  /** The nearest `top` that shows all of a row. */
  topFor(row: number): number {
    const from = row * this.row;
    if (from < this.top) {
      return from;
    }
    return Math.max(this.top, from + this.row - this.seen);
  }

  private mostTop(): number {
    return Math.max(0, this.count * this.row - this.seen);
  }

  private mostScroll(): number {
    return Math.max(0, this.height - this.seen);
  }

  private scale(): number {
    const most = this.mostScroll();
    return most > 0 && this.count * this.row > MOST_PIXELS ? this.mostTop() / most : 1;
  }
}
