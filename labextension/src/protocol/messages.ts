// What a cockpit and its host say to each other: the kernel over a widget comm, the Jupyter server over a WebSocket.
// All of it is JSON. Times are seconds since the epoch by the host's clock, durations seconds, memory bytes, null is
// "not known". Keys are decimal numbers of up to 20 digits as text. The host answers every message that has an `id`
// with one that has the same `id`; it may send the others at any time. docs/cockpit-protocol.md says when.

export const PROTOCOL = 1;

/** Tables of a cluster; and of its accounting (explorer_messages.ts). */
export type ClusterView = 'jobs' | 'queues' | 'queue_instances' | 'hosts';
export type ViewName = ClusterView | 'records';
export type SortOrder = 'ascending' | 'descending';
export type Cell = string | number | boolean | null;

// -- tables -----------------------------------------------------------------------------------------------------------

export type ColumnType =
  | 'text'
  | 'count'
  | 'number'
  | 'time'
  | 'duration'
  | 'bytes'
  | 'state' // a row's `state` is a DRMAA2 name, shown as glyph, word and colour; the cell's own text is the letters
  | 'tasks' // the row's cell is ITaskCounts as JSON numbers: [running, suspended, pending, held, error]
  | 'slots'; // "used/total" as a bar: cell is [used, total]

export interface IColumn {
  name: string;
  label: string;
  type: ColumnType;
  /** Pixels at first. */
  width: number;
  /** Whether it is there before anybody chose columns. */
  shown: boolean;
  sortable: boolean;
  /** A sentence on what it says, with the unit. */
  help: string;
}

/** What the browser asks for of a table. The last request of a view counts; the host keeps it up to date. */
export interface IViewRequest {
  kind: 'view';
  view: ViewName;
  /**
   * Grows with each request of this view; answers and pushes carry the latest that they answer. It begins with a
   * multiple of 2**32 of each grid's own, so that a grid knows which rows are meant for it where several share a channel.
   */
  id: number;
  sort: [string, SortOrder][];
  /** Only of the grid that stands alone; in the cockpit the filter of `filter` counts for all views. */
  filter?: string;
  first: number;
  count: number;
  columns: string[];
  /** Keys of array jobs whose tasks stand below them. */
  expanded: string[];
  /** Whether the browser has forgotten the rows that it was told (a page that was loaded again). */
  anew: boolean;
}

/** The window of a view. Sent as the answer to a request, and whenever something in it changes. */
export interface IRows {
  kind: 'rows';
  view: ViewName;
  id: number;
  /** Grows with each change of the table. */
  version: number;
  /** Rows of the table, and those that the filter lets through with the expanded ones. */
  total: number;
  matching: number;
  /** Of records that match, only the newest are rows: how many are not. */
  left_out?: number;
  first: number;
  /** Of every row of the window, in order. */
  keys: string[];
  /** 2: a task below its job. Left out where all are 1. */
  levels?: number[];
  /** The columns of `rows`, in order; as requested. */
  columns: string[];
  /** Those rows of the window that the browser has not been told, or not as they are now. */
  rows: Record<string, Cell[] | (Cell | number[])[]>;
  /** What is wrong with the filter; the rows are then those of the last good one. */
  filter_error?: IFilterError | null;
}

export interface IFilterError {
  message: string;
  /** Characters of the filter that it is about. */
  start: number;
  end: number;
  /** The text only ends too early: somebody still types, and should not be told of a mistake yet. */
  incomplete?: boolean;
}

// -- the cluster ------------------------------------------------------------------------------------------------------

export interface IOverview {
  kind: 'overview';
  sequence: number;
  /** When the snapshot was taken, and now by the host's clock. */
  time: number;
  now: number;
  /** 0, or since when the cluster does not answer; and why, in a line. */
  stale_since: number;
  error: string;
  interval: number;
  slots: { used: number; free: number; closed: number; total: number };
  hosts: { up: number; down: number };
  /** Tasks by name of their DRMAA2 state; "ERROR" for those in error state. */
  tasks: Record<string, number>;
  jobs: number;
  /** By slots in use, then waiting tasks, the largest first; at most 12, the rest is "…". */
  owners: { owner: string; slots: number; waiting: number }[];
  queues: { queue: string; used: number; total: number; closed: number }[];
  /** What the filter leaves of it. */
  matching: { jobs: number; running: number; waiting: number };
  filter: string;
  mine: boolean;
  replay: IReplay;
}

export interface IReplay {
  /** When what is shown was; null: now. */
  at: number | null;
  /** Times of the recorded snapshots that can be shown, oldest first, at most 500 of them; left out where they are as told last. */
  times?: number[];
  /** What is kept, for people: "the last 24 h, 3.2 MB of at most 64 MB". */
  kept: string;
}

export interface IWelcome {
  kind: 'welcome';
  protocol: number;
  cluster: string;
  system: string;
  user: string;
  /** Whether this user may act on others' jobs. */
  operator: boolean;
  columns: Record<ClusterView, IColumn[]>;
  /** Words of the filter language, for completion. */
  words: IFilterWord[];
  actions: IActionInfo[];
  charts: { name: string; label: string }[];
}

/** What of the welcome is other now; what is left out is as it was. */
export interface IRenewed {
  kind: 'renewed';
  operator?: boolean;
  actions?: IActionInfo[];
  words?: IFilterWord[];
}

export interface IFilterWord {
  word: string;
  help: string;
  /** Values to offer after the colon, where they are few: states, owners, queues. */
  values: string[];
}

// -- the map ----------------------------------------------------------------------------------------------------------

/** All hosts, compactly; sent while the map is open, first all of them, then those that changed. */
export interface IMap {
  kind: 'map';
  /** Whether it is all of them; hosts that are not in it are gone. */
  all: boolean;
  hosts: IMapHost[];
  /** Owners by number in `owners` of a host; only ever longer. */
  owners: string[];
}

export interface IMapHost {
  host: string;
  used: number;
  total: number;
  load: number | null;
  cores: number | null;
  /** Letters; '' is open. */
  state: string;
  /** Slots by number of their owner: [owner, slots, owner, slots, …]. */
  owners: number[];
  /** Whether the filter lets it through. */
  matches: boolean;
}

// -- one job ----------------------------------------------------------------------------------------------------------

export interface IDetails {
  kind: 'details';
  id: number;
  job_id: string;
  /** Index of the task that was opened; null: the whole job. */
  task: number | null;
  name: string;
  owner: string;
  letters: string;
  state: string;
  array: boolean;
  /** Titled groups of label and value, ready to show. */
  facts: { title: string; rows: [string, string][] }[];
  requests: [string, string][];
  reasons: string[];
  timeline: { time: number; what: string }[];
  /** Of an array: runs of [DRMAA2 state or "", how many tasks, first index], in the order of the indices. */
  strip: [string, number, number][];
  /** What it used so far beside what it asked for. */
  usage: { label: string; used: number; asked: number | null; unit: 'bytes' | 'seconds' | 'count' }[];
  logs: { stream: 'stdout' | 'stderr'; path: string }[];
  /** The notebook cell that it came from, if it came from one here. */
  cell: { notebook: string; execution_count: number; source: string; folder: string } | null;
  actions: string[];
  /** What cannot be told, and why; '' if all is there. */
  trouble: string;
  /** True when it has left the queue: this is how it was. */
  gone: boolean;
}

export interface ILog {
  kind: 'log';
  id: number;
  job_id: string;
  task: number | null;
  stream: 'stdout' | 'stderr';
  /** New text from `offset` on; `whole`: it replaces what was there. */
  text: string;
  offset: number;
  whole: boolean;
  /** Why there is none, or what is left out; ''. */
  note: string;
}

// -- actions ----------------------------------------------------------------------------------------------------------

export interface IActionInfo {
  name: 'cancel' | 'hold' | 'release' | 'suspend' | 'resume' | 'priority' | 'clear_error' | 'requeue' | 'alter';
  label: string;
  help: string;
  /** What a person has to give. */
  fields: { name: string; label: string; type: 'text' | 'integer'; help: string; minimum?: number; maximum?: number }[];
  /** Whether it ends or loses something. */
  danger: boolean;
}

// The names of interfaces begin with an I; this one is as well known as it is.
// eslint-disable-next-line @typescript-eslint/consistent-type-definitions
export type Target = { job_id: string; task: number | null };

/** What an action would do: nothing was sent yet. */
export interface IPlan {
  kind: 'plan';
  id: number;
  action: string;
  /** "Cancel 3 jobs with 1,204 tasks (12 running) of alice?" */
  question: string;
  jobs: number;
  tasks: number;
  /** Those that it cannot be done to, with the reason. */
  refused: [string, string][];
  /** '' or what is wrong with the fields. */
  error: string;
}

export interface IActed {
  kind: 'acted';
  id: number;
  action: string;
  done: number;
  /** The job and the command's own message. */
  failures: [string, string][];
  error: string;
}

// -- charts and copies ------------------------------------------------------------------------------------------------

export interface IChart {
  kind: 'chart';
  name: string;
  /** A plotly figure: data and layout, without a template. */
  figure: { data: unknown[]; layout: Record<string, unknown> };
  /** Axis title or trace to the filter term that a click on it adds: {"alice": "owner:alice"}. */
  terms: Record<string, string>;
}

/** The source of a module that is loaded when it is first needed (the chart library, 1.5 MB). */
export interface IModuleSource {
  kind: 'module';
  id: number;
  name: 'chart';
  source: string;
}

export interface ICopied {
  kind: 'copied';
  id: number;
  text: string;
  rows: number;
}

export interface ITrouble {
  kind: 'trouble';
  id?: number;
  message: string;
}

// -- what the browser says --------------------------------------------------------------------------------------------

export type ClientMessage =
  | { kind: 'hello'; protocol: number }
  | IViewRequest
  /** A view that is not shown any more: it is not kept up to date. `id` is that of any of its requests. */
  | { kind: 'unview'; view: ViewName; id?: number }
  | { kind: 'filter'; text: string; mine: boolean }
  | { kind: 'replay'; at: number | null }
  | { kind: 'map'; open: boolean }
  | { kind: 'charts'; names: string[] }
  | { kind: 'details'; id: number; job_id: string; task: number | null }
  | { kind: 'close_details' }
  | { kind: 'log'; id: number; job_id: string; task: number | null; stream: 'stdout' | 'stderr'; offset: number }
  | { kind: 'plan'; id: number; action: string; targets: Target[] | 'matching'; fields: Record<string, string> }
  | { kind: 'act'; id: number; action: string; targets: Target[] | 'matching'; fields: Record<string, string> }
  | { kind: 'copy'; id: number; view: ViewName; format: 'text' | 'csv' | 'qdel'; keys: string[] | 'matching'; columns: string[] }
  | { kind: 'module'; id: number; name: 'chart' }
  /** Whether somebody can see it: a hidden page is not kept up to date. */
  | { kind: 'visible'; visible: boolean };

export type HostMessage =
  | IWelcome
  | IRenewed
  | IOverview
  | IRows
  | IMap
  | IDetails
  | ILog
  | IPlan
  | IActed
  | IChart
  | IModuleSource
  | ICopied
  | ITrouble;

/** The way to the host, whatever carries it. */
export interface IChannel<Out = ClientMessage, In = HostMessage> {
  send(message: Out): void;
  /** Returns what ends it. */
  onMessage(handler: (message: In) => void): () => void;
  /** Called when the host is gone for good, or is there again. */
  onLive(handler: (live: boolean) => void): () => void;
}
