// Questions to the host and their answers: each question has a number, and its answer the same.
import type {
  ClientMessage, HostMessage, IActed, IChannel, ICopied, IDetails, ILog, IModuleSource, IPlan
} from '../protocol/messages';

interface IAnswers {
  details: IDetails;
  log: ILog;
  plan: IPlan;
  act: IActed;
  copy: ICopied;
  module: IModuleSource;
}

/** A question without its kind and number. */
type Question<K extends keyof IAnswers> = Omit<Extract<ClientMessage, { kind: K }>, 'kind' | 'id'>;

/** The host refused, or is gone. */
export class NotAnswered extends Error {}

interface IWaiting {
  resolve(answer: HostMessage): void;
  reject(why: NotAnswered): void;
}

export class Connection {
  private readonly waiting = new Map<number, IWaiting>();
  private last = 0;
  private closed = false;

  constructor(private readonly channel: IChannel) {}

  send(message: ClientMessage): void {
    if (!this.closed) {
      this.channel.send(message);
    }
  }

  /** Say nothing any more: parts of the page take leave after the whole has. */
  close(): void {
    this.closed = true;
  }

  /** @throws NotAnswered (as a rejection) with the host's words */
  ask<K extends keyof IAnswers>(kind: K, question: Question<K>): Promise<IAnswers[K]> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: answer => { resolve(answer as IAnswers[K]); }, reject });
      this.send({ ...question, kind, id } as unknown as ClientMessage);
    });
  }

  /** Hand an answer to whoever asked; whether somebody did. */
  answer(message: HostMessage): boolean {
    const id = 'id' in message ? message.id : undefined;
    const waiting = id === undefined || message.kind === 'rows' ? undefined : this.waiting.get(id);
    if (id === undefined || waiting === undefined) {
      return false;
    }
    this.waiting.delete(id);
    if (message.kind === 'trouble') {
      waiting.reject(new NotAnswered(message.message));
    } else {
      waiting.resolve(message);
    }
    return true;
  }

  /** Nobody will answer any more. */
  abandon(why: string): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    all.forEach(one => { one.reject(new NotAnswered(why)); });
  }
}
