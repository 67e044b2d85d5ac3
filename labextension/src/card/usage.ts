// What was asked for and what was used, and the flags that would have done, ready to copy.
import { button, element, setText } from './dom';

export class Usage {
  readonly node = element('div', 'gcs-usage');
  private readonly list = element('ul', 'gcs-sentences');
  private readonly flags = element('code', 'gcs-flags');
  private readonly copied = element('span', 'gcs-dim', { role: 'status' });
  private readonly line: HTMLElement;
  private shown = '';

  constructor() {
    const copy = button('Copy', () => { void this.copy(); });
    copy.setAttribute('aria-label', 'Copy the flags for next time');
    this.line = element('div', 'gcs-row', {}, element('span', 'gcs-dim', {}, 'next time:'), this.flags, copy, this.copied);
    this.node.append(this.list, this.line);
    this.update([], '');
  }

  update(sentences: string[], advice: string): void {
    const all = [...sentences, advice].join('\n');
    if (all !== this.shown) {
      this.shown = all;
      this.list.replaceChildren(...sentences.map(sentence => element('li', '', {}, sentence)));
      this.flags.textContent = advice;
      setText(this.copied, '');
    }
    this.list.hidden = sentences.length === 0;
    this.line.hidden = advice === '';
    this.node.hidden = this.list.hidden && this.line.hidden;
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.flags.textContent);
      setText(this.copied, 'copied');
    } catch {
      // A page that did not come by https, or a browser that asked and was told no.
      const range = document.createRange();
      range.selectNodeContents(this.flags);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      setText(this.copied, 'selected: copy it with Ctrl+C');
    }
  }
}
