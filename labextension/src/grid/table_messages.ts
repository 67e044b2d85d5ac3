// What the widget of one table and its host say to each other, besides requests of the view and their rows.
import type { IColumn, ICopied, IFilterWord, IRows, ITrouble, ViewName } from '../protocol/messages';

/** The answer to `hello`. */
export interface ITableWelcome {
  kind: 'table';
  view: ViewName;
  /** For a screen reader: "jobs of the cluster demo". */
  label: string;
  columns: IColumn[];
  words: IFilterWord[];
  filter: string;
}

/** Sent with the welcome, and when something of it changes. */
export interface ITableState {
  kind: 'table_state';
  filter: string;
  /** 0, or since when the cluster does not answer (seconds since the epoch); and why. */
  stale_since: number;
  error: string;
}

export type TableHostMessage = ITableWelcome | ITableState | IRows | ICopied | ITrouble;

export type TableClientMessage =
  | { kind: 'selected'; keys: string[] }
  | { kind: 'opened'; key: string };
