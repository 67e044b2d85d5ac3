// Many channels over one line (protocol/envelope.ts). What the server says is numbered, and so is what the page says:
// after a line broke each side says again what the other has not heard. A session that is gone is begun anew.
import type { FaceName, IFaceStart, IProblem, PageMessage, ServerMessage } from '../../protocol/envelope';
import { ENVELOPE_PROTOCOL } from '../../protocol/envelope';
import { FaceChannel } from './face_channel';
import type { ICarrier } from './face_channel';
import { Line } from './line';

/** A line that is there again by then has not been away for anybody. */
const GRACE = 4000;
/** `seen` is said at least this often. */
const SEEN_EVERY = 50;
/** What was said so long before a word of the server has arrived, if it does not tell what it heard. */
const ARRIVED = 5000;
const FIRST_RETRY = 5000;
const LONGEST_RETRY = 60_000;
/** Problems that go away by themselves: the cluster does not answer now. */
const PASSING = new Set(['DrmCommunication', 'Timeout', 'TryLater', 'OutOfResource', 'SessionManagement']);

type Said = Extract<PageMessage, { channel: number }>;

export interface ISessionListener {
  /** The server greets. `fits`: it speaks the same protocol; else the session is over. */
  greeted(version: string, fits: boolean): void;
  /** The line has been broken for longer than a moment; told again after each try that failed. */
  lost(): void;
}

export class Session implements ICarrier {
  private readonly line: Line;
  private readonly channels = new Map<number, FaceChannel>();
  /** Channels with a problem, and when each is asked for again by itself. */
  private readonly failures = new Map<FaceChannel, ReturnType<typeof setTimeout> | undefined>();
  /** What the page said that the server may not have heard; the first has the number `heard` + 1. */
  private unheard: { said: Said; at: number }[] = [];
  private heard = 0;
  private id: string | null = null;
  private seq = 0;
  private acknowledged = 0;
  private ready = false;
  private away = false;
  private numbers = 0;
  private grace: ReturnType<typeof setTimeout> | undefined;

  constructor(
    socket: () => WebSocket, private readonly version: string, private readonly listener: ISessionListener, private readonly gone: () => string
  ) {
    this.line = new Line(socket, { up: () => { this.greet(); }, receive: message => { this.receive(message); }, down: () => { this.down(); } });
  }

  /** Whether the server has greeted and the line is whole. */
  get connected(): boolean {
    return this.ready;
  }

  start(): void {
    this.line.start();
  }

  stop(): void {
    this.line.stop();
    clearTimeout(this.grace);
    this.failures.forEach(timer => { clearTimeout(timer); });
    this.failures.clear();
    this.ready = false;
    this.tellAway();
  }

  hurry(): void {
    this.line.hurry();
  }

  open(face: FaceName, start: IFaceStart): FaceChannel {
    const channel = new FaceChannel(this, face, start, this.gone);
    this.add(channel);
    return channel;
  }

  /** Ask once more for hosts of a cluster that had a problem. */
  retryFailed(cluster: string): void {
    [...this.failures.keys()].filter(channel => channel.start.cluster === cluster).forEach(channel => { this.retry(channel); });
  }

  say(channel: FaceChannel, message: unknown): void {
    this.post({ op: 'say', channel: channel.number, message });
  }

  retry(channel: FaceChannel): void {
    clearTimeout(this.failures.get(channel));
    this.failures.delete(channel);
    channel.problem.value = null;
    this.add(channel);
    if (!this.away) {
      channel.setLive(true);
    }
  }

  close(channel: FaceChannel): void {
    clearTimeout(this.failures.get(channel));
    this.failures.delete(channel);
    if (this.channels.delete(channel.number)) {
      this.post({ op: 'close', channel: channel.number });
    }
  }

  private add(channel: FaceChannel): void {
    this.numbers += 1;
    channel.number = this.numbers;
    this.channels.set(channel.number, channel);
    this.post({ op: 'open', channel: channel.number, face: channel.face, start: channel.start });
    if (channel.start.wake === true) {
      // When it is opened again nobody has asked for it.
      channel.start = { ...channel.start };
      delete channel.start.wake;
    }
  }

  private post(said: Said): void {
    this.unheard.push({ said, at: Date.now() });
    if (this.ready) {
      this.line.send(said);
    }
  }

  private greet(): void {
    this.line.send({ op: 'start', protocol: ENVELOPE_PROTOCOL, version: this.version, session: this.id, seen: this.seq });
  }

  private down(): void {
    this.ready = false;
    if (this.away) {
      this.tellAway();
      this.listener.lost();
    } else {
      this.grace ??= setTimeout(() => { this.tellAway(); this.listener.lost(); }, GRACE);
    }
  }

  private tellAway(): void {
    this.away = true;
    this.channels.forEach(channel => { channel.setLive(false); });
  }

  private receive(message: ServerMessage): void {
    if (message.op === 'started') {
      this.started(message);
      return;
    }
    if (message.op !== 'beat') {
      if (message.seq <= this.seq) {
        return;
      }
      if (message.seq !== this.seq + 1) {
        // Something is missing, and will not come any more.
        this.id = null;
        this.line.renew();
        return;
      }
      this.seq = message.seq;
      const channel = this.channels.get(message.channel);
      if (message.op === 'failed') {
        this.failed(channel, message.error);
      } else if (channel !== undefined) {
        channel.fails = 0;
        channel.receive(message.message);
      }
    }
    this.forget(message.op === 'beat' ? message.heard : undefined);
    if (this.ready && (message.op === 'beat' || this.seq - this.acknowledged >= SEEN_EVERY)) {
      this.acknowledged = this.seq;
      this.line.send({ op: 'seen', seq: this.seq });
    }
  }

  private failed(channel: FaceChannel | undefined, problem: IProblem): void {
    if (channel === undefined) {
      return;
    }
    this.channels.delete(channel.number);
    const wait = PASSING.has(problem.type) ? Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** channel.fails) : null;
    channel.fails += 1;
    this.failures.set(channel, wait === null ? undefined : setTimeout(() => { this.retry(channel); }, wait));
    channel.fail(problem);
  }

  /** Let go of what the server has heard. */
  private forget(heard: number | undefined): void {
    const count = heard === undefined
      ? this.unheard.findIndex(one => one.at > Date.now() - ARRIVED)
      : heard - this.heard;
    const gone = count < 0 ? this.unheard.length : count;
    this.unheard.splice(0, gone);
    this.heard += gone;
  }

  private started(greeting: Extract<ServerMessage, { op: 'started' }>): void {
    const fits = greeting.protocol === ENVELOPE_PROTOCOL;
    if (!fits) {
      this.stop();
      this.listener.greeted(greeting.version, false);
      return;
    }
    clearTimeout(this.grace);
    this.grace = undefined;
    const resumed = greeting.resumed && greeting.session === this.id;
    const wasAway = this.away;
    this.id = greeting.session;
    this.away = false;
    this.line.settled(greeting.beat);
    if (resumed) {
      this.goOn(greeting.heard);
    } else {
      this.beginAnew();
    }
    if (wasAway) {
      // Their faces have given up what they had asked, and ask for everything again.
      this.channels.forEach(channel => { channel.setLive(true); });
    }
    this.listener.greeted(greeting.version, true);
  }

  private goOn(heard: number | undefined): void {
    if (heard === undefined) {
      this.reopenDoubtful();
    } else {
      this.forget(heard);
    }
    const waiting = this.unheard.map(one => one.said);
    // What was said to a face that has given up is not wanted any more.
    const wanted = waiting.filter(said => said.op !== 'say' || this.channels.get(said.channel)?.isLive !== false);
    this.flush(wanted);
  }

  /** An old server does not say what it has heard: channels to which something was said just before are opened anew. */
  private reopenDoubtful(): void {
    const doubtful = new Set(this.unheard.map(one => one.said.channel));
    this.unheard = this.unheard.filter(one => one.said.op === 'close');
    [...this.channels.values()].filter(channel => doubtful.has(channel.number)).forEach(channel => {
      this.channels.delete(channel.number);
      this.post({ op: 'close', channel: channel.number });
      channel.setLive(false);
      this.add(channel);
      channel.setLive(true);
    });
  }

  private beginAnew(): void {
    const kept = this.unheard.map(one => one.said).filter(said => this.channels.get(said.channel)?.fresh === true);
    const gone = [...this.channels.values()].filter(channel => !channel.fresh);
    this.seq = 0;
    this.acknowledged = 0;
    this.heard = 0;
    this.unheard = [];
    this.flush(kept);
    gone.forEach(channel => {
      this.channels.delete(channel.number);
      channel.setLive(false);
      this.add(channel);
      channel.setLive(true);
    });
    this.channels.forEach(channel => { channel.fresh = false; });
  }

  private flush(said: Said[]): void {
    this.ready = true;
    this.unheard = said.map(one => ({ said: one, at: Date.now() }));
    said.forEach(one => { this.line.send(one); });
  }
}
