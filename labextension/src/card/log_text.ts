// The end of a text that grows, with what is said of it beside. It is asked for only while it is shown and seen.
import { element, setText } from './dom';
import { Poll, type IVersioned } from './poll';

export interface ITextAnswer extends IVersioned {
  text?: string;
}

export class LogText {
  readonly text: HTMLPreElement = element('pre', 'gcs-log-text', { tabindex: '0', role: 'region' });
  readonly note = element('span', 'gcs-dim');
  readonly following: HTMLElement;
  private readonly follow = element('input', '', { type: 'checkbox' });
  private readonly poll: Poll;
  private version = '';
  private ifEmpty = '';

  /**
   * @param ask - asks the kernel; `have` is the version that is shown
   * @param isOver - whether the text will not grow any more
   */
  constructor(ask: (have: string) => void, isOver: () => boolean) {
    this.poll = new Poll(() => { ask(this.version); }, isOver);
    this.follow.checked = true;
    this.follow.addEventListener('change', () => { this.scroll(); });
    this.following = element('label', 'gcs-dim', {}, this.follow, ' Follow');
    this.text.addEventListener('scroll', () => {
      const { scrollTop, clientHeight, scrollHeight } = this.text;
      this.follow.checked = scrollTop + clientHeight >= scrollHeight - 8;
    });
  }

  /** Start with another text. */
  begin(label: string, ifEmpty: string): void {
    this.version = '';
    this.ifEmpty = ifEmpty;
    this.text.textContent = '';
    this.follow.checked = true;
    this.text.setAttribute('aria-label', label);
    setText(this.note, 'loading…');
  }

  request(): void {
    this.poll.now();
  }

  receive(answer: ITextAnswer): void {
    if (answer.error !== undefined) {
      setText(this.note, answer.error);
    } else if (answer.text !== undefined) {
      this.version = answer.version ?? '';
      this.text.textContent = answer.text;
      setText(this.note, answer.text === '' ? this.ifEmpty : '');
      this.scroll();
    }
    this.poll.answered();
  }

  stop(): void {
    this.poll.stop();
  }

  private scroll(): void {
    if (this.follow.checked) {
      this.text.scrollTop = this.text.scrollHeight;
    }
  }
}
