// What the Jupyter server answers once, under `<base>gcs-lab/api/`. gcs_lab/server/openapi.json is the whole truth.
// A refusal has a status of 400 or more and an IProblem (envelope.ts) as its body.

/** GET about */
export interface IAbout {
  /** Of the wheel that the server runs, and of the front end that it would send. */
  version: string;
  python: string;
  user: string;
  host: string;
  /** Names of routes' features that this server has, for pages of other versions. */
  features: string[];
}

/** GET clusters: what can be used from here, the one that is taken first in front; POST clusters/{name}/start */
export interface IClusterInfo {
  name: string;
  /** Why it would be taken, or is there: "SGE_ROOT is set", "no Grid Engine was found". */
  why: string;
  backend: string;
  /** `running`: it may be asked now. `stopped`: it can be started from here. `unreachable`: see `text`. */
  state: 'running' | 'stopped' | 'unreachable';
  text: string;
  /** Whether it is the one that `gcs_lab.connect()` would take. */
  chosen: boolean;
  /** Whether it can be started, or stopped, from here: a private demo cluster, the embedded one. */
  startable: boolean;
}

/** GET clusters/{name}/catalogue: what a form offers. */
export interface ICatalogue {
  cluster: string;
  queues: { name: string; slots_free: number | null; slots_total: number | null; state: string }[];
  parallel_environments: { name: string; slots: number | null }[];
  complexes: IComplex[];
  projects: string[];
  hosts: string[];
  job_categories: string[];
  /** The user's last values, by flag: {"-l": "h_rt=1:00:00", "-q": "all.q"}; of this notebook, else of any. */
  last: Record<string, string>;
  /** From the configuration files (`%gcs defaults`), by flag. */
  defaults: Record<string, string>;
}

export interface IComplex {
  name: string;
  shortcut: string;
  /** Grid Engine's word: INT, DOUBLE, MEMORY, TIME, BOOL, STRING, RESTRING, HOST. */
  type: string;
  requestable: boolean;
  consumable: boolean;
  default: string;
}

/** POST clusters/{name}/plan: the line that a form means. Nothing is sent to the cluster but questions. */
export interface IPlanRequest {
  kind: 'cell' | 'notebook' | 'script';
  form: IJobForm;
  /** Path as JupyterLab has it: of the notebook that the cell is in, or of what is submitted. */
  path: string;
}

export interface IJobForm {
  verb: 'submit' | 'run';
  name: string;
  queue: string;
  project: string;
  parallel_environment: string;
  slots: string;
  /** Requests beside the ones above, by name of the complex. */
  requests: Record<string, string>;
  after: string;
  /** `x=range(10)`, a line for each. */
  over: string;
  max_parallel: string;
  priority: string;
  /** Words that are added as they are. */
  more: string;
}

export interface IPlanAnswer {
  /** `%%gcs submit -N fit -l h_rt=1:00:00`, or for a file the command `gcs-lab submit-notebook …`. */
  line: string;
  /** `field` is one of the form, `path`, or of a request `requests.h_vmem`. */
  problems: { field: string; message: string }[];
  /** What does not forbid it: "4 slots are more than any host has free now". */
  warnings: string[];
}

/** POST clusters/{name}/submit: a notebook or a script of the server's files. */
export interface ISubmitRequest {
  kind: 'notebook' | 'script';
  path: string;
  form: IJobForm;
  /** Papermill's, of a notebook. */
  parameters?: Record<string, unknown>;
}

export interface ISubmitted {
  job_id: string;
  name: string;
  text: string;
}

/** GET clusters/{name}/advice?name=…: what records of earlier jobs say of a form's values. */
export interface IFormAdvice {
  /** '' if there is nothing to say. */
  text: string;
  requests: { name: string; value: string; why: string }[];
}

/** GET clusters/{name}/jobs/{job_id}: beside `details` of the cockpit's protocol, what the user's journal has. */
export interface IJobFacts {
  job_id: string;
  cluster: string;
  name: string;
  kind: string;
  state: string;
  letters: string;
  notebook: string;
  cell: string;
  execution_count: number;
  source: string;
  folder: string;
  submitted: number | null;
  started: number | null;
  ended: number | null;
  exit_status: number | null;
  outcome: string;
  streams: { stream: LogStream; bytes: number }[];
  /** Of a sweep: its points' parameters by task, and how each ended. */
  tasks: number;
  /** Python that attaches to it in a notebook. */
  attach: string;
}

export type LogStream = 'output' | 'stdout' | 'stderr';

/** GET clusters/{name}/jobs/{job_id}/log?stream=&task=&first=&count=: lines by number, from 0. `first` < 0: from the end. */
export interface ILogLines {
  stream: LogStream;
  task: number | null;
  first: number;
  lines: string[];
  /** So far; it may grow while `live`. */
  total: number;
  live: boolean;
  /** Why there is none, or what is left out; ''. */
  note: string;
}

/** GET …/log/matches?stream=&task=&text=&after=&limit=: numbers of lines that contain a text (capitals count only if it has some). */
export interface ILogMatches {
  matches: { line: number; text: string }[];
  total: number;
  /** Whether there are more than `limit`. */
  more: boolean;
}

/** GET …/outputs?task=: what the job drew and returned, as nbformat outputs; streams are left out (they are the log). */
export interface IOutputs {
  outputs: Record<string, unknown>[];
  /** Grows with each change; `?version=` answers 304 if it is still so. */
  version: number;
  note: string;
}

/**
 * GET …/tasks?first=&limit=&state=: of a sweep or array job, a row a task; at most `limit` from `first`. A sweep's columns
 * are task, its parameters, state, host, wall, memory, exit, error and what it left; an array job has its open tasks.
 */
export interface ITaskRows {
  columns: string[];
  rows: (string | number | null)[][];
  total: number;
}

/** GET clusters/{name}/accounting?question=&by=&owner=&since=&…: 503 while much has to be read first (it says how far it is). */
export interface IAccountingRows extends ITaskRows {
  /** What somebody should know: files that cannot be read, lines that are no records. */
  notes: string[];
}

/** POST …/actions {action, tasks?}: cancel, hold, release, suspend, resume, clear_error or requeue, done at once. */
export interface IActed {
  /** What was done, for people: "Job 7 (fit) was cancelled." */
  text: string;
  /** How many ids it was done to; of the others the id and why not. */
  done: number;
  failures: [string, string][];
}

/** POST …/rerun {failed: true, requests: {h_vmem: "4G"}} or {tasks: [3, 7]}: points of a sweep again. */
export interface IRerun {
  job_id: string;
  tasks: number;
  text: string;
}
