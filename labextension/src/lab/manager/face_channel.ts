// One channel to a host in the server, as a face sees it.
import { signal } from '@preact/signals';

import type { FaceName, IFaceStart, IProblem } from '../../protocol/envelope';
import type { IFaceChannel } from '../tokens';

/** What a channel needs of the session. */
export interface ICarrier {
  say(channel: FaceChannel, message: unknown): void;
  retry(channel: FaceChannel): void;
  close(channel: FaceChannel): void;
}

export class FaceChannel implements IFaceChannel<unknown, unknown> {
  readonly problem = signal<IProblem | null>(null);
  /** Its number in the session; another one each time that it is opened. */
  number = 0;
  /** What was said since it was opened waits for the first line, or is on its way. */
  fresh = true;
  /** How often in a row it could not be opened. */
  fails = 0;
  private readonly messages = new Set<(message: unknown) => void>();
  private readonly lives = new Set<(live: boolean) => void>();
  private live = true;
  private disposed = false;

  /** @param gone - words for a question that cannot be asked now */
  constructor(
    private readonly carrier: ICarrier, readonly face: FaceName, public start: IFaceStart, private readonly gone: () => string
  ) {}

  get isLive(): boolean {
    return this.live;
  }

  send(message: unknown): void {
    if (this.disposed) {
      return;
    }
    if (this.live) {
      this.carrier.say(this, message);
      return;
    }
    // When the line is there again, the face begins anew. Who asks now must not wait for ever, and what he wants done
    // must not be done minutes later.
    const id = questionId(message);
    if (id !== null) {
      const text = this.problem.value?.message ?? this.gone();
      queueMicrotask(() => { this.receive({ kind: 'trouble', id, message: text }); });
    }
  }

  onMessage(handler: (message: unknown) => void): () => void {
    this.messages.add(handler);
    return () => { this.messages.delete(handler); };
  }

  onLive(handler: (live: boolean) => void): () => void {
    this.lives.add(handler);
    return () => { this.lives.delete(handler); };
  }

  retry(): void {
    if (!this.disposed && this.problem.value !== null) {
      // Somebody asks for it.
      this.start = { ...this.start, wake: true };
      this.carrier.retry(this);
    }
  }

  dispose(): void {
    if (!this.disposed) {
      this.disposed = true;
      this.carrier.close(this);
      this.messages.clear();
      this.lives.clear();
    }
  }

  receive(message: unknown): void {
    [...this.messages].forEach(handler => { handler(message); });
  }

  fail(problem: IProblem): void {
    this.problem.value = problem;
    this.setLive(false);
  }

  setLive(live: boolean): void {
    if (!live) {
      this.fresh = false;
    }
    if (live !== this.live) {
      this.live = live;
      [...this.lives].forEach(handler => { handler(live); });
    }
  }
}

/** Requests of rows have numbers too, but nobody waits for just that answer: `returned` asks for them again. */
function questionId(message: unknown): number | null {
  if (typeof message !== 'object' || message === null || !('id' in message) || !('kind' in message)) {
    return null;
  }
  return typeof message.id === 'number' && message.kind !== 'view' && message.kind !== 'unview' ? message.id : null;
}
