// Why it waits, in sentences.
import { button, element } from './dom';

const SHOWN = 3;

/** Up to three sentences; the rest folds out. */
export class Reasons {
  readonly node = element('div', 'gcs-reasons');
  private readonly list = element('ul', 'gcs-sentences');
  private readonly more: HTMLButtonElement;
  private sentences: string[] = [];
  private unfolded = false;

  constructor() {
    this.more = button('', () => {
      this.unfolded = !this.unfolded;
      this.draw();
    });
    this.more.classList.add('gcs-link');
    this.node.append(this.list, this.more);
    this.draw();
  }

  update(sentences: string[]): void {
    if (sentences.join('\n') !== this.sentences.join('\n')) {
      this.sentences = sentences;
      this.draw();
    }
  }

  private draw(): void {
    const shown = this.unfolded ? this.sentences : this.sentences.slice(0, SHOWN);
    const folded = Math.max(0, this.sentences.length - SHOWN);
    this.node.hidden = shown.length === 0;
    this.list.replaceChildren(...shown.map(sentence => element('li', '', {}, sentence)));
    this.more.hidden = folded === 0;
    this.more.textContent = folded === 0 ? '' : this.unfolded ? 'show fewer' : `and ${folded} more`;
    this.more.setAttribute('aria-expanded', String(this.unfolded));
  }
}
