// Questions to the host and their answers: each question has a number, and its answer the same.
import type { IChannel } from '../protocol/messages';

/** What is common to all messages. */
interface IMessage {
  kind: string;
}

/** The host refused, or is gone. */
export class NotAnswered extends Error {}

interface IWaiting<In> {
  resolve(answer: In): void;
  reject(why: NotAnswered): void;
}

/** A question without its kind and number. */
type Question<Out extends IMessage, K> = Omit<Extract<Out, { kind: K }>, 'kind' | 'id'>;

/** `Answers` tells what each kind of question is answered by. */
export class Connection<Out extends IMessage, In extends IMessage, Answers extends object> {
  private readonly waiting = new Map<number, IWaiting<In>>();
  private last = 0;
  private closed = false;

  constructor(private readonly channel: IChannel<Out, In>) {}

  send(message: Out): void {
    if (!this.closed) {
      this.channel.send(message);
    }
  }

  /** Say nothing any more: parts of the page take leave after the whole has. */
  close(): void {
    this.closed = true;
  }

  /** @throws NotAnswered (as a rejection) with the host's words */
  ask<K extends keyof Answers & string>(kind: K, question: Question<Out, K>): Promise<Answers[K]> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: answer => { resolve(answer as unknown as Answers[K]); }, reject });
      this.send({ ...question, kind, id } as unknown as Out);
    });
  }

  /** Hand an answer to whoever asked; whether somebody did. */
  answer(message: In): boolean {
    const id = 'id' in message && typeof message.id === 'number' ? message.id : undefined;
    const waiting = id === undefined || message.kind === 'rows' ? undefined : this.waiting.get(id);
    if (id === undefined || waiting === undefined) {
      return false;
    }
    this.waiting.delete(id);
    if (message.kind === 'trouble') {
      waiting.reject(new NotAnswered('message' in message ? String(message.message) : ''));
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

export function wordsOf(why: unknown): string {
  return why instanceof Error ? why.message : String(why);
}
