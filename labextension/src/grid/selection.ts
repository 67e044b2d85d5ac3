// Which rows are selected, by key: a selection outlives every sort, filter and refresh.

export class Selection {
  /** All rows that the filter lets through, also those that come later. */
  all = false;
  private readonly chosen = new Set<string>();
  private anchor: { key: string | undefined; index: number } | undefined;
  /** What the last range added: another range from the same row takes its place. */
  private ranged: string[] = [];

  get size(): number {
    return this.chosen.size;
  }

  keys(): string[] {
    return [...this.chosen];
  }

  has(key: string): boolean {
    return this.all || this.chosen.has(key);
  }

  only(key: string | undefined, index: number): void {
    this.clear();
    this.anchor = { key, index };
    if (key !== undefined) {
      this.chosen.add(key);
    }
  }

  toggle(key: string, index: number): void {
    this.all = false;
    this.anchor = { key, index };
    this.ranged = [];
    if (!this.chosen.delete(key)) {
      this.chosen.add(key);
    }
  }

  /**
   * Select all from where the last one was selected to `index`.
   *
   * @returns how many rows between are not known here, and so are not selected
   */
  extend(index: number, rows: { keyAt(index: number): string | undefined; indexOf(key: string): number }): number {
    this.all = false;
    this.ranged.forEach(key => this.chosen.delete(key));
    this.ranged = [];
    this.anchor ??= { key: rows.keyAt(index), index };
    const found = this.anchor.key === undefined ? -1 : rows.indexOf(this.anchor.key);
    const from = found < 0 ? this.anchor.index : found;
    let unknown = 0;
    for (let at = Math.min(from, index); at <= Math.max(from, index); at += 1) {
      const key = rows.keyAt(at);
      if (key === undefined) {
        unknown += 1;
      } else if (!this.chosen.has(key)) {
        this.chosen.add(key);
        this.ranged.push(key);
      }
    }
    return unknown;
  }

  selectAll(keys: readonly string[]): void {
    this.all = true;
    this.ranged = [];
    keys.forEach(key => this.chosen.add(key));
  }

  clear(): void {
    this.all = false;
    this.anchor = undefined;
    this.ranged = [];
    this.chosen.clear();
  }
}
