// The end of a text that grows, kept short.
import type { ILog } from '../protocol/messages';

export const KEPT_CHARACTERS = 64_000;

export class LogBuffer {
  text = '';
  /** Where the next text begins. */
  offset = 0;
  /** Whether the beginning was left out here. */
  cut = false;

  /** What is to be appended to what is shown; undefined: show all of `text` anew. */
  take(log: ILog): string | undefined {
    this.text = log.whole ? log.text : this.text + log.text;
    this.cut = log.whole ? false : this.cut;
    this.offset = log.offset;
    if (this.text.length <= KEPT_CHARACTERS) {
      return log.whole ? undefined : log.text;
    }
    const from = this.text.length - KEPT_CHARACTERS;
    const line = this.text.indexOf('\n', from);
    this.text = this.text.slice(line < 0 ? from : line + 1);
    this.cut = true;
    return undefined;
  }
}
