// The lines of a log that are at hand: those around what is seen. A log of millions of lines costs no more than a small one.
import type { ILogLines } from '../../protocol/rest';

/** Lines are asked for and forgotten by so many. */
export const PAGE_LINES = 200;
const MOST_PAGES = 100;
/** Pages of one question. */
const MOST_ASKED = 3;

/** Asks for lines; `first` < 0: from the end. */
export type AskLines = (first: number, count: number) => Promise<ILogLines>;

export class LogLines {
  total = 0;
  /** Whether it may grow. */
  live = true;
  /** What is left out, or why there is nothing; ''. */
  note = '';
  /** Why the last question was not answered; ''. */
  trouble = '';
  /** Whether anything was told. */
  known = false;
  /** By number of the page, the one that was used last at the end. */
  private readonly pages = new Map<number, (string | undefined)[]>();
  private wanted: [number, number] = [0, 0];
  private asking = false;
  private over = false;

  /** @param changed - told whenever lines or words differ */
  constructor(private readonly ask: AskLines, private readonly changed: () => void) {}

  dispose(): void {
    this.over = true;
  }

  /** undefined: it is not at hand; see {@link want}. */
  line(number: number): string | undefined {
    return this.pages.get(Math.floor(number / PAGE_LINES))?.[number % PAGE_LINES];
  }

  /** These lines are seen now, up to `end`: those that are missing are asked for, one question at a time. */
  want(first: number, end: number): void {
    this.wanted = [Math.max(0, first), Math.min(end, this.total)];
    if (!this.asking) {
      void this.fill();
    }
  }

  /** Ask for the end of the log: what has come since, or at first its last lines. */
  async look(): Promise<void> {
    // The last line may have been half written.
    const told = await this.request(this.known ? Math.max(0, this.total - 1) : -PAGE_LINES, PAGE_LINES * MOST_ASKED);
    if (told !== null) {
      this.changed();
      if (!this.asking) {
        void this.fill();
      }
    }
  }

  private async fill(): Promise<void> {
    this.asking = true;
    let next = this.missing();
    while (next !== null && !this.over) {
      const told = await this.request(...next);
      this.changed();
      const before = next;
      next = told === null ? null : this.missing();
      if (next !== null && next[0] === before[0] && told !== null && told.lines.length === 0) {
        // The log says that it has them, and does not tell them: it is asked again when somebody scrolls.
        next = null;
      }
    }
    this.asking = false;
  }

  /** [first, count] of what to ask for; null: all that is seen is at hand. */
  private missing(): [number, number] | null {
    let [first, end] = this.wanted;
    while (first < end && this.line(first) !== undefined) {
      first += 1;
    }
    while (end > first && this.line(end - 1) !== undefined) {
      end -= 1;
    }
    if (first >= end) {
      return null;
    }
    // Some more than is seen, on the side that is scrolled to.
    const from = Math.floor(first / PAGE_LINES) * PAGE_LINES;
    const start = this.line(from) === undefined ? from : first;
    const whole = Math.ceil(end / PAGE_LINES) * PAGE_LINES;
    return [start, Math.min(whole - start, MOST_ASKED * PAGE_LINES)];
  }

  private async request(first: number, count: number): Promise<ILogLines | null> {
    try {
      const told = await this.ask(first, count);
      if (this.over) {
        return null;
      }
      this.take(told);
      this.trouble = '';
      return told;
    } catch (why) {
      if (!this.over) {
        this.trouble = why instanceof Error ? why.message : String(why);
        this.changed();
      }
      return null;
    }
  }

  private take(told: ILogLines): void {
    if (told.total < this.total) {
      // It was written anew.
      this.pages.clear();
    }
    this.known = true;
    this.total = told.total;
    this.live = told.live;
    this.note = told.note;
    told.lines.forEach((line, place) => {
      const number = told.first + place;
      const page = Math.floor(number / PAGE_LINES);
      const lines = this.pages.get(page) ?? [];
      lines[number % PAGE_LINES] = line;
      this.pages.delete(page);
      this.pages.set(page, lines);
    });
    for (const page of this.pages.keys()) {
      if (this.pages.size <= MOST_PAGES) {
        break;
      }
      this.pages.delete(page);
    }
  }
}
