// One question to the kernel at a time: the next one waits for the answer, so that a busy kernel is not flooded.
const PAUSE_MILLISECONDS = 2000;

/** What the kernel answers: without the value itself if what was asked for is still what the browser has. */
export interface IVersioned {
  version?: string;
  error?: string;
}

export class Poll {
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param ask - sends the question
   * @param isOver - whether the answer will not change any more
   */
  constructor(
    private readonly ask: () => void,
    private readonly isOver: () => boolean
  ) {}

  /** Ask at once, unless nobody sees the page. */
  now(): void {
    this.stop();
    if (!document.hidden) {
      this.ask();
    }
  }

  /** The answer is there: ask again after a pause. */
  answered(): void {
    this.stop();
    if (!this.isOver()) {
      this.timer = setTimeout(() => { this.now(); }, PAUSE_MILLISECONDS);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
