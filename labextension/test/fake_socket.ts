import type { PageMessage, ServerMessage } from '../src/protocol/envelope';

type Started = Extract<ServerMessage, { op: 'started' }>;

/** A WebSocket without a network: keeps what the page says, and says what a test wants. */
export class FakeSocket {
  static made: FakeSocket[] = [];
  readonly said: PageMessage[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  static last(): FakeSocket {
    const socket = FakeSocket.made.at(-1);
    if (socket === undefined) {
      throw new Error('the page made no line');
    }
    return socket;
  }

  send(text: string): void {
    this.said.push(JSON.parse(text) as PageMessage);
  }

  close(): void {
    this.closed = true;
  }

  /** The line is there, and the server greets. */
  greet(greeting: Partial<Started> = {}): this {
    this.onopen?.();
    this.tell({ op: 'started', protocol: 1, version: '1.0.0', session: 's1', resumed: false, beat: 30, ...greeting });
    return this;
  }

  tell(...messages: ServerMessage[]): void {
    messages.forEach(message => { this.onmessage?.({ data: JSON.stringify(message) }); });
  }

  say(seq: number, channel: number, message: unknown): void {
    this.tell({ op: 'said', seq, channel, message });
  }

  /** As when the server is stopped, or the network has gone. */
  drop(): void {
    this.onclose?.();
  }

  ops(): string[] {
    return this.said.map(message => message.op);
  }

  /** What the page said on channels, without the channels' numbers. */
  words(): unknown[] {
    return this.said.flatMap(message => (message.op === 'say' ? [message.message] : []));
  }
}
