// The panel with the end of a job's log. It asks the kernel for it only while it is open and seen.
import { button, element, setText } from './dom';

const PAUSE_MILLISECONDS = 2000;
const STREAMS = ['stdout', 'stderr'] as const;

export type Stream = (typeof STREAMS)[number];

export interface ILogRequest {
  kind: 'log';
  stream: Stream;
  have: string;
}

/** The kernel's answer: without `text` if what was asked for is still what the browser has. */
export interface ILogAnswer {
  kind: 'log';
  stream: Stream;
  version?: string;
  text?: string;
  error?: string;
}

export class LogPanel {
  readonly node: HTMLElement;
  private readonly text: HTMLPreElement;
  private readonly note: HTMLElement;
  private readonly follow: HTMLInputElement;
  private readonly tabs: Map<Stream, HTMLButtonElement>;
  private stream: Stream = 'stdout';
  private version = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ask: (request: ILogRequest) => void,
    private readonly isOver: () => boolean
  ) {
    this.tabs = new Map(
      STREAMS.map(stream => [stream, button(stream, () => { this.show(stream); })])
    );
    this.follow = element('input', '', { type: 'checkbox' });
    this.follow.checked = true;
    this.follow.addEventListener('change', () => { this.scroll(); });
    this.note = element('span', 'gcs-dim');
    this.text = element('pre', 'gcs-log-text', { tabindex: '0', role: 'region' });
    this.text.addEventListener('scroll', () => {
      const { scrollTop, clientHeight, scrollHeight } = this.text;
      this.follow.checked = scrollTop + clientHeight >= scrollHeight - 8;
    });
    this.node = element(
      'div',
      'gcs-log',
      {},
      element(
        'div',
        'gcs-row',
        {},
        ...this.tabs.values(),
        this.note,
        element('span', 'gcs-space'),
        element('label', 'gcs-dim', {}, this.follow, ' Follow')
      ),
      this.text
    );
    this.node.hidden = true;
    this.mark();
  }

  /** Open or close the panel; tell which it is now. */
  toggle(): boolean {
    this.node.hidden = !this.node.hidden;
    if (this.node.hidden) {
      this.stop();
    } else {
      this.request();
    }
    return !this.node.hidden;
  }

  /** Ask now if the panel is open: the job has ended, or the page is seen again. */
  refresh(): void {
    if (!this.node.hidden) {
      this.request();
    }
  }

  receive(answer: ILogAnswer): void {
    if (answer.stream !== this.stream || this.node.hidden) {
      return;
    }
    if (answer.error !== undefined) {
      setText(this.note, answer.error);
    } else if (answer.text !== undefined) {
      this.version = answer.version ?? '';
      this.text.textContent = answer.text;
      setText(this.note, answer.text === '' ? `nothing on ${this.stream} so far` : '');
      this.scroll();
    }
    // The next question waits for this answer: a kernel that is busy is not flooded with them.
    this.stop();
    if (!this.isOver()) {
      this.timer = setTimeout(() => { this.request(); }, PAUSE_MILLISECONDS);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private show(stream: Stream): void {
    this.stream = stream;
    this.version = '';
    this.text.textContent = '';
    this.mark();
    this.request();
  }

  private mark(): void {
    for (const [stream, tab] of this.tabs) {
      tab.setAttribute('aria-pressed', String(stream === this.stream));
    }
    this.text.setAttribute('aria-label', `end of ${this.stream}`);
    setText(this.note, 'loading…');
  }

  private request(): void {
    this.stop();
    if (!document.hidden) {
      this.ask({ kind: 'log', stream: this.stream, have: this.version });
    }
  }

  private scroll(): void {
    if (this.follow.checked) {
      this.text.scrollTop = this.text.scrollHeight;
    }
  }
}
