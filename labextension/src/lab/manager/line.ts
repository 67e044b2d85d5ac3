// The WebSocket of a page: it is made again whenever it breaks, and given up when nothing has come for too long.
import type { PageMessage, ServerMessage } from '../../protocol/envelope';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** A line that is being made, or has not greeted yet. */
const PATIENCE = 20_000;
/** However often a page is shown and hidden, no more tries than one a second. */
const SHORTEST_WAIT = 1000;

/** What is told of a line. `down` after each try that failed, too. */
export interface ILineListener {
  up(): void;
  receive(message: ServerMessage): void;
  down(): void;
}

export class Line {
  private socket: WebSocket | null = null;
  private wanted = false;
  private fails = 0;
  private tried = 0;
  private heard = 0;
  private silence = PATIENCE;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private readonly again = () => { this.hurry(); };
  private readonly shown = () => {
    if (document.visibilityState === 'visible') {
      this.hurry();
    }
  };

  /**
   * @param make - a new socket
   * @param listener - told in the order in which things happen
   */
  constructor(private readonly make: () => WebSocket, private readonly listener: ILineListener) {}

  /** When the last word came, by the page's clock, ms. */
  get lastWord(): number {
    return this.heard;
  }

  start(): void {
    if (this.wanted) {
      return;
    }
    this.wanted = true;
    window.addEventListener('online', this.again);
    document.addEventListener('visibilitychange', this.shown);
    this.connect();
  }

  stop(): void {
    this.wanted = false;
    window.removeEventListener('online', this.again);
    document.removeEventListener('visibilitychange', this.shown);
    clearTimeout(this.retry);
    this.release()?.close();
  }

  /** Only between `up` and `down`. */
  send(message: PageMessage): void {
    this.socket?.send(JSON.stringify(message));
  }

  /** The server has greeted. @param beat - seconds between its beats */
  settled(beat: number): void {
    this.fails = 0;
    this.silence = 2 * beat * 1000;
    this.watchSilence();
  }

  /** The line cannot be trusted any more: make another one. */
  renew(): void {
    this.broken();
  }

  /** Try now, not when the wait is over: there is reason to think that it works. */
  hurry(): void {
    if (this.wanted && this.socket === null) {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => { this.connect(); }, Math.max(0, this.tried + SHORTEST_WAIT - Date.now()));
    }
  }

  private connect(): void {
    this.tried = Date.now();
    this.heard = this.tried;
    this.silence = PATIENCE;
    const socket = this.make();
    this.socket = socket;
    socket.onopen = () => { this.listener.up(); };
    socket.onmessage = event => {
      this.heard = Date.now();
      let message: ServerMessage;
      try {
        message = JSON.parse(String(event.data)) as ServerMessage;
      } catch {
        // Something between page and server speaks instead of it.
        this.broken();
        return;
      }
      this.listener.receive(message);
    };
    // An error is always followed by this.
    socket.onclose = () => { this.broken(); };
    this.watchSilence();
  }

  private watchSilence(): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      if (Date.now() - this.heard >= this.silence) {
        this.broken();
      } else {
        this.watchSilence();
      }
    }, Math.max(0, this.heard + this.silence - Date.now()));
  }

  private broken(): void {
    const socket = this.release();
    socket?.close();
    if (!this.wanted || socket === null) {
      return;
    }
    // Many pages of many users must not come back at the same moment.
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.fails) * (0.5 + Math.random() / 2);
    this.fails += 1;
    this.retry = setTimeout(() => { this.connect(); }, wait);
    this.listener.down();
  }

  private release(): WebSocket | null {
    clearTimeout(this.watch);
    const { socket } = this;
    this.socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
    }
    return socket;
  }
}
