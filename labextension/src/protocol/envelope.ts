// The one WebSocket of a page and its Jupyter server: many channels to hosts in one line of JSON messages each.
// What the server says is numbered (`seq`), so that a page whose line broke goes on where it was. docs/server.md.

export const ENVELOPE_PROTOCOL = 1;

/** Hosts that the server has; each speaks the messages of its own file in this folder. */
export type FaceName = 'panel' | 'cockpit' | 'explorer';

/** What a face is opened with. */
export interface IFaceStart {
  /** Name of the cluster, as in {@link IClusterInfo}. */
  cluster: string;
  /** Of the cockpit: whether it begins with the user's own jobs alone, and with which filter. */
  mine?: boolean;
  filter?: string;
  /**
   * Whether the embedded cluster is started if it does not run: true: somebody asks for it now; false: no. Left out: yes,
   * unless somebody stopped it from a page.
   */
  wake?: boolean;
}

export type PageMessage =
  /** The first word of every line. `session` and `seen` as they were before it broke; null: a new one. */
  | { op: 'start'; protocol: number; version: string; session: string | null; seen: number }
  | { op: 'open'; channel: number; face: FaceName; start: IFaceStart }
  /** Only messages of the channel's face; the order is kept within a channel. */
  | { op: 'say'; channel: number; message: unknown }
  | { op: 'close'; channel: number }
  /** All up to this number has come. Sent at least every 100 messages, and as the answer to a `beat`. */
  | { op: 'seen'; seq: number };

export type ServerMessage =
  /**
   * The answer to `start`. `resumed`: the channels are as they were, and what was missed follows. Else they are gone:
   * the page opens them again. `beat`: seconds between two beats; after two without any word the line is dead.
   * `heard`: how many of the page's `open`, `say` and `close` have come in this session (0 of a new one). What was said
   * after these is lost with the line: the page says it again.
   */
  | { op: 'started'; protocol: number; version: string; session: string; resumed: boolean; beat: number; heard?: number }
  | { op: 'said'; seq: number; channel: number; message: unknown }
  /** The channel could not be opened, or its host ended: it is closed. */
  | { op: 'failed'; seq: number; channel: number; error: IProblem }
  | { op: 'beat'; seq: number; heard?: number };

/** What every refusal is, over HTTP too. */
export interface IProblem {
  /** For people: what happened, what was expected, what to do. */
  message: string;
  /** Name of the exception of `gcs_lab.errors`, or of HTTP ("NotFound"). */
  type: string;
  /** The field of the request that it is about. */
  field?: string;
}
