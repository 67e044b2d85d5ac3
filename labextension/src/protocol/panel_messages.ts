// What the side panel and its host say to each other. The same conventions as messages.ts: JSON, seconds, null is
// "not known". The host sends `panel` when something differs from what was told, at most twice a second, and nothing
// while the page is hidden (but `ended`: somebody who looks elsewhere wants to know).

export const PANEL_PROTOCOL = 1;

export type PanelClientMessage =
  /** Everything is told anew. */
  | { kind: 'hello'; protocol: number }
  | { kind: 'visible'; visible: boolean }
  /** Notebooks that are open (paths as JupyterLab has them): of these the host tells which cells have jobs. */
  | { kind: 'watch'; notebooks: string[] }
  | { kind: 'act'; id: number; action: PanelAction; job_id: string }
  /** Ask the cluster now, not when it is due. */
  | { kind: 'refresh' };

export type PanelAction = 'cancel' | 'hold' | 'release' | 'suspend' | 'resume' | 'clear_error' | 'rerun_failed';

export type PanelHostMessage = IPanel | IEnded | ICells | IPanelActed | { kind: 'trouble'; id?: number; message: string };

/** Of `jobs` only what differs; a page that has heard all of it since `hello` has the whole. */
export interface IPanel {
  kind: 'panel';
  /** True after `hello`: forget what was told before. */
  whole: boolean;
  cluster: string;
  system: string;
  user: string;
  /** When the snapshot was taken, and now, by the host's clock; 0: there is none yet. */
  time: number;
  now: number;
  /** 0, or since when the cluster does not answer. */
  stale_since: number;
  health: IHealth;
  slots: { used: number; free: number; closed: number; total: number };
  /** Tasks of mine. */
  mine: { running: number; suspended: number; pending: number; held: number; error: number };
  /** Keys of my jobs that have not ended, in the order to show: running, waiting, newest first. */
  live: string[];
  /** Of my recent jobs, the latest end first; at most 30. */
  recent: string[];
  /** How many more of mine there are than `live` has (at most 200). */
  more: number;
  /** By key. */
  jobs: Record<string, IPanelJob>;
}

/** The cluster in one line. */
export interface IHealth {
  /** good: work goes on. busy: no slot is free. warn: hosts down, jobs in error. bad: it does not answer. */
  level: 'good' | 'busy' | 'warn' | 'bad';
  /** "12 of 64 slots free", "no answer (tried again in 20 s)"; since when is `stale_since`. */
  text: string;
  /** More, for a tooltip. */
  help: string;
}

/** A job, or a sweep (or array job) as one row. */
export interface IPanelJob {
  job_id: string;
  name: string;
  kind: 'cell' | 'sweep' | 'script' | 'notebook' | 'job' | 'array';
  /** Name of its DRMAA2 state, and Grid Engine's letters. */
  state: string;
  letters: string;
  submitted: number | null;
  started: number | null;
  ended: number | null;
  queue: string;
  slots: number | null;
  /** Of a sweep or array job; null of one job. */
  tasks: IPanelTasks | null;
  /** 0 to 1, null if it does not tell; and what it said of it. */
  progress: { fraction: number | null; text: string } | null;
  /** Why it waits or is in error, in a line; ''. */
  reason: string;
  /** How it ended: "done in 3 min", "exit status 1", "ValueError: x is 0", "3 of 40 failed"; ''. */
  outcome: string;
  /** Where it was submitted: path as JupyterLab has it ('' if it is elsewhere), id of the cell, and its number. */
  notebook: string;
  cell: string;
  execution_count: number;
  /** What may be done to it now. */
  actions: PanelAction[];
}

export interface IPanelTasks {
  running: number;
  pending: number;
  held: number;
  suspended: number;
  error: number;
  done: number;
  failed: number;
  total: number;
}

/** Jobs that ended just now, for a notification; many at once are one message. Never for what ended before `hello`. */
export interface IEnded {
  kind: 'ended';
  jobs: IPanelJob[];
  /** How many more ended than `jobs` has (at most 5). */
  more: number;
  failed: number;
  done: number;
}

/** The cells of a notebook that have jobs: the latest job of each, by the cell's id. Sent when it differs. */
export interface ICells {
  kind: 'cells';
  notebook: string;
  cells: Record<string, ICellJob>;
}

export interface ICellJob {
  job_id: string;
  cluster: string;
  name: string;
  kind: IPanelJob['kind'];
  state: string;
  letters: string;
  text: string;
}

export interface IPanelActed {
  kind: 'acted';
  id: number;
  /** What was done, for people: "Job 7 was cancelled." */
  text: string;
  /** '' or why not. */
  error: string;
}
