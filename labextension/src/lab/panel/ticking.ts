// The host's clock, kept going in the browser: durations grow without a word from the server.
import { signal } from '@preact/signals';

const YOUNG_SECONDS = 70;
const SOON_MILLISECONDS = 1000;
/** Beyond a minute durations are told by minutes. */
const LATER_MILLISECONDS = 10_000;

export class Ticking {
  /** By the host's clock, seconds; 0: not known. */
  readonly now = signal(0);
  private told = 0;
  private at = 0;
  private youngest = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;

  /**
   * @param now - what the host says that it is
   * @param youngest - the latest moment that a duration on the page is counted from; 0: there is none
   */
  tell(now: number, youngest: number): void {
    // The same message again (its `now` is that of when it was sent) sets nothing back.
    if (now !== this.told) {
      this.told = now;
      this.at = performance.now();
    }
    this.youngest = youngest;
    this.step();
  }

  /** Nothing ticks while nobody looks. */
  run(on: boolean): void {
    this.running = on;
    this.step();
  }

  dispose(): void {
    this.run(false);
  }

  private step(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.running || this.told <= 0) {
      return;
    }
    this.now.value = this.told + (performance.now() - this.at) / 1000;
    if (this.youngest > 0) {
      const young = this.now.value - this.youngest < YOUNG_SECONDS;
      this.timer = setTimeout(() => { this.step(); }, young ? SOON_MILLISECONDS : LATER_MILLISECONDS);
    }
  }
}
