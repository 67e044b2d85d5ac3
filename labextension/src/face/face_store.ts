// What the stores of cockpit and explorer have in common: the way to the host, whether it is there, and what is noted.
import { batch, signal } from '@preact/signals';

import type { IChannel } from '../protocol/messages';
import { Connection } from './connection';
import { KERNEL, type IHostWords, sentence } from './host_words';
import { NoteBook } from './notes';

interface IMessage {
  kind: string;
}

/** What every browser may say, whatever the face. */
type Common = { kind: 'hello'; protocol: number } | { kind: 'visible'; visible: boolean };

export abstract class FaceStore<Out extends IMessage, In extends IMessage, Answers extends object> {
  readonly live = signal(true);
  readonly visible = signal(true);
  readonly dark = signal(false);
  readonly book = new NoteBook();
  readonly connection: Connection<Out | Common, In, Answers>;
  /** Set by the filter's field. */
  focusFilter: () => void = () => undefined;
  private readonly endings: (() => void)[] = [];

  /**
   * @param name - of the face, for people
   * @param protocol - the version that this page speaks
   * @param host - how the host is called
   */
  constructor(
    private readonly channel: IChannel<Out | Common, In>, private readonly name: string, private readonly protocol: number,
    readonly host: IHostWords = KERNEL
  ) {
    this.connection = new Connection<Out | Common, In, Answers>(channel);
  }

  dispose(): void {
    if (this.live.value) {
      this.connection.send({ kind: 'visible', visible: false });
    }
    this.connection.close();
    this.endings.forEach(end => { end(); });
    this.book.dispose();
    this.connection.abandon(`The ${this.name} was closed.`);
  }

  setVisible(visible: boolean): void {
    if (visible !== this.visible.value) {
      this.visible.value = visible;
      this.connection.send({ kind: 'visible', visible });
    }
  }

  /** Listen and greet: the last thing that a constructor does, for an answer may come at once. */
  protected begin(...endings: (() => void)[]): void {
    this.endings.push(
      ...endings,
      this.channel.onMessage(message => { batch(() => { this.receive(message); }); }),
      this.channel.onLive(live => { this.setLive(live); })
    );
    this.hello();
  }

  /** Take what the host says without being asked; return whether somebody had asked. */
  protected receive(message: In): boolean {
    const answered = this.connection.answer(message);
    if (!answered) {
      this.take(message);
    }
    return answered;
  }

  protected abstract take(message: In): void;

  /** The host is there again: tell it what is shown. */
  protected abstract returned(): void;

  /** The host is gone. */
  protected left(): void {
    this.connection.abandon(`${sentence(this.host.gone)}: nobody answers any more.`);
  }

  /** Say so if the host speaks another protocol. */
  protected compare(protocol: number): void {
    if (protocol !== this.protocol) {
      this.book.note(
        `This page speaks protocol ${this.protocol}, its host protocol ${protocol}: they are of different versions of ` +
          `gcs_lab. ${this.host.renew}`,
        true
      );
    }
  }

  private hello(): void {
    this.connection.send({ kind: 'hello', protocol: this.protocol });
  }

  private setLive(live: boolean): void {
    if (live === this.live.value) {
      return;
    }
    this.live.value = live;
    if (live) {
      this.hello();
      this.returned();
    } else {
      this.left();
    }
  }
}
