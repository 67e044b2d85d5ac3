// What an explorer of accounting and its host say to each other, as JSON; the conventions are those of messages.ts: times
// are seconds since the epoch, durations seconds, memory bytes; every message with an `id` is answered with the same `id`.
import type { IColumn, IFilterWord, IModuleSource, IRows, ITrouble, IViewRequest } from './messages';

export const EXPLORER_PROTOCOL = 1;

export type TabName = 'usage' | 'waits' | 'efficiency' | 'failures' | 'utilisation' | 'cost' | 'jobs';
/** What usage is counted in. */
export type MeasureName = 'slot_hours' | 'cpu_hours' | 'memory' | 'jobs' | 'cost';

/** What is shown: all of it, so that a page that was loaded again, a link and the reproducing code are one thing. */
export interface IExplorerState {
  tab: TabName;
  /** Records that ended in [since, until); null: from the first, to the last. */
  since: number | null;
  until: number | null;
  /** In the language of filters, over the columns of a record: "owner:alice slots>4 failed>0". */
  filter: string;
  /** Column by which usage, cost and waits are split. */
  by: string;
  measure: MeasureName;
  /** What was drawn around in the scatter of efficiency, in its axes' own values; the grid shows the jobs inside. */
  lasso: { x: number[]; y: number[] } | null;
  /** What an hour costs: {"": 0.02 (per slot hour), "queue:gpu.q": 0.5 …}: the first that matches counts. */
  rates: IRate[];
}

export interface IRate {
  /** A filter ('' matches all). */
  filter: string;
  per_slot_hour: number;
  per_gib_hour: number;
}

/**
 * What the host's clock shows, by which figures are drawn: since when (seconds since the epoch) it is so many seconds ahead
 * of UTC; the first holds before, too. */
export type ClockChanges = readonly (readonly [number, number])[];

export interface IExplorerWelcome {
  kind: 'welcome';
  protocol: number;
  cluster: string;
  system: string;
  /** First and last end of a record; null: there is none yet. */
  span: [number, number] | null;
  records: number;
  rejects: number;
  columns: IColumn[];
  words: IFilterWord[];
  clock: ClockChanges;
  tabs: { name: TabName; label: string; help: string }[];
  /** Columns to split by. */
  groupings: { name: string; label: string }[];
  measures: { name: MeasureName; label: string }[];
  currency: string;
  /** What is shown now. */
  state: IExplorerState;
}

/** What of the welcome is other now: records came. Figures and rows of them follow by themselves. */
export interface IExplorerRenewed {
  kind: 'renewed';
  span: [number, number] | null;
  records: number;
  rejects: number;
  words: IFilterWord[];
  clock: ClockChanges;
}

/** How far reading has come; sent while it goes on and once when it ended. */
export interface IIngest {
  kind: 'ingest';
  state: 'reading' | 'done' | 'cancelled' | 'failed';
  bytes_done: number;
  bytes_total: number;
  records: number;
  rejects: number;
  /** Bytes a second; seconds left, null where not known. */
  rate: number;
  left: number | null;
  /** For people: what is read, or what went wrong and what to do. */
  message: string;
}

/** What a tab shows. Sent for the tab that is open, whenever what it shows changed. */
export interface ITabFigures {
  kind: 'figures';
  tab: TabName;
  /** Grows with each `state` message that this answers. */
  sequence: number;
  /** Records in the period that the filter lets through, and all of the period. */
  matching: number;
  period: number;
  /** The main figures, ready to show: label, value with its unit, and a sentence on what it is. */
  facts: { label: string; value: string; help: string; bad?: boolean }[];
  figures: IExplorerFigure[];
  /** As far as they were found when this was sent; the rest comes with `IFindings`. */
  findings: IFinding[];
  /** '' or why there is nothing to see. */
  empty: string;
  /** What is wrong with the filter. */
  filter_error: { message: string; start: number; end: number } | null;
}

/** Something that stands out, found in the data, with the filter that shows it: "node017: 31 % of its jobs fail". */
export interface IFinding {
  text: string;
  /** Added to the filter; '' where no filter tells it. */
  term: string;
  /** 0 to 1. They come in the order in which they stand: the weightiest of each kind first. */
  weight: number;
  /** Where it is seen best. */
  tab: TabName;
}

/** What stands out among the records that match; sent after `figures` of the same sequence, when it is known. */
export interface IFindings {
  kind: 'findings';
  sequence: number;
  findings: IFinding[];
}

export interface IExplorerFigure {
  name: string;
  title: string;
  /** What it shows and how to read it; for those who do not see it, too. */
  caption: string;
  /** A plotly figure: data and layout, without a template. */
  figure: { data: unknown[]; layout: Record<string, unknown> };
  /** Name of a trace or place on an axis to the filter term that a click adds: {"alice": "owner:alice"}. */
  terms: Record<string, string>;
  /** Whether a range on its time axis may be chosen as the period, and whether it can be drawn around. */
  brush: boolean;
  lasso: boolean;
  /** Whether it takes the whole width. */
  wide: boolean;
}

export interface IExported {
  kind: 'exported';
  id: number;
  /** File name for the browser; the content in base64. Empty content: it was written to `path` of the host. */
  name: string;
  mime: string;
  content: string;
  path: string;
  /** For people: rows, bytes. */
  note: string;
}

/** A cell that makes what is shown now. */
export interface ICode {
  kind: 'code';
  id: number;
  text: string;
}

export type ExplorerClientMessage =
  | { kind: 'hello'; protocol: number }
  /** All of what is to be shown; the last one counts. */
  | { kind: 'state'; sequence: number; state: IExplorerState }
  /** The grid of jobs; view is 'records'. Its filter is that of the state. */
  | (Omit<IViewRequest, 'view'> & { view: 'records' })
  | { kind: 'unview'; view: 'records'; id?: number }
  /** Of what is shown now; what a picture shows is exported by the browser itself. */
  | { kind: 'export'; id: number; format: 'csv' | 'parquet' | 'html' }
  | { kind: 'copy'; id: number; view: 'records'; format: 'text' | 'csv'; keys: string[] | 'matching'; columns: string[] }
  | { kind: 'code'; id: number }
  /** Look for new records (the host does so by itself each minute, too), go on after a cancel; or stop reading. */
  | { kind: 'refresh' }
  | { kind: 'cancel' }
  | { kind: 'module'; id: number; name: 'chart' }
  | { kind: 'visible'; visible: boolean };

export type ExplorerHostMessage =
  | IExplorerWelcome
  | IExplorerRenewed
  | IIngest
  | ITabFigures
  | IFindings
  | (Omit<IRows, 'view'> & { view: 'records' })
  | IExported
  | ICode
  | IModuleSource
  | { kind: 'copied'; id: number; text: string; rows: number }
  | ITrouble;
