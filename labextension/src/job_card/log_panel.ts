// The panel with the end of a job's log.
import { button, element } from '../card/dom';
import { LogText, type ITextAnswer } from '../card/log_text';

const STREAMS = ['stdout', 'stderr'] as const;

export type Stream = (typeof STREAMS)[number];

export interface ILogRequest {
  kind: 'log';
  stream: Stream;
  have: string;
}

export interface ILogAnswer extends ITextAnswer {
  kind: 'log';
  stream: Stream;
}

export class LogPanel {
  readonly node: HTMLElement;
  private readonly log: LogText;
  private readonly tabs: Map<Stream, HTMLButtonElement>;
  private stream: Stream = 'stdout';

  constructor(ask: (request: ILogRequest) => void, isOver: () => boolean) {
    this.log = new LogText(have => { ask({ kind: 'log', stream: this.stream, have }); }, isOver);
    this.tabs = new Map(
      STREAMS.map(stream => [stream, button(stream, () => { this.show(stream); })])
    );
    const row = element(
      'div',
      'gcs-row',
      {},
      ...this.tabs.values(),
      this.log.note,
      element('span', 'gcs-space'),
      this.log.following
    );
    this.node = element('div', 'gcs-log', {}, row, this.log.text);
    this.node.hidden = true;
    this.begin();
  }

  /** Open or close the panel; tell which it is now. */
  toggle(): boolean {
    this.node.hidden = !this.node.hidden;
    if (this.node.hidden) {
      this.stop();
    } else {
      this.log.request();
    }
    return !this.node.hidden;
  }

  /** Ask now if the panel is open: the job has ended, or the page is seen again. */
  refresh(): void {
    if (!this.node.hidden) {
      this.log.request();
    }
  }

  receive(answer: ILogAnswer): void {
    if (answer.stream === this.stream && !this.node.hidden) {
      this.log.receive(answer);
    }
  }

  stop(): void {
    this.log.stop();
  }

  private show(stream: Stream): void {
    this.stream = stream;
    this.begin();
    this.log.request();
  }

  private begin(): void {
    for (const [stream, tab] of this.tabs) {
      tab.setAttribute('aria-pressed', String(stream === this.stream));
    }
    this.log.begin(`end of ${this.stream}`, `nothing on ${this.stream} so far`);
  }
}
