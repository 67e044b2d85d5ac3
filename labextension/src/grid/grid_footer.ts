// The line below the rows: how many there are, how many are selected, and the menus for copies and columns.
import { formatCount } from '../card/figures';
import { button, element, setText } from '../card/dom';
import type { ViewName } from '../protocol/messages';

const NOUNS: Record<ViewName, [string, string]> = {
  jobs: ['job', 'jobs'],
  queues: ['queue', 'queues'],
  queue_instances: ['queue instance', 'queue instances'],
  hosts: ['host', 'hosts'],
  records: ['record', 'records']
};

export function nounOf(view: ViewName, count: number): string {
  return NOUNS[view][count === 1 ? 0 : 1];
}

export interface IFooterState {
  total: number;
  matching: number;
  /** Of what matches, only the newest are rows: how many are not. */
  leftOut: number;
  selected: number;
  all: boolean;
  stale: boolean;
}

export class GridFooter {
  readonly node: HTMLElement;
  readonly copy: HTMLButtonElement;
  readonly columns: HTMLButtonElement;
  private readonly counts = element('span', 'gcs-counts');
  private readonly selected = element('span', 'gcs-selected');
  private readonly stale = element('span', 'gcs-stale');
  private readonly spoken = element('span', 'gcs-spoken', { role: 'status', 'aria-live': 'polite' });

  constructor(private readonly view: ViewName, onCopy: () => void, onColumns: () => void) {
    this.copy = button('Copy', onCopy);
    this.columns = button('Columns', onColumns);
    for (const menu of [this.copy, this.columns]) {
      menu.setAttribute('aria-haspopup', 'menu');
      menu.classList.add('gcs-drops');
    }
    this.node = element('div', 'gcs-footer', {}, this.counts, this.selected, this.stale, element('span', 'gcs-space'),
      this.copy, this.columns, this.spoken);
  }

  draw({ total, matching, leftOut, selected, all, stale }: IFooterState): void {
    const noun = nounOf(this.view, total);
    setText(this.counts, total < 0 ? '' : matching === total ? `${formatCount(total)} ${noun}` : `${formatCount(matching)} of ${formatCount(total)} ${noun}`);
    if (leftOut > 0) {
      setText(this.counts, `the newest ${formatCount(matching)} of ${formatCount(matching + leftOut)} ${noun} that match; an export has all`);
    }
    // An expanded array counts its tasks as rows: there may be more rows than jobs.
    if (matching > total && total >= 0) {
      setText(this.counts, `${formatCount(total)} ${noun}, ${formatCount(matching)} rows`);
    }
    setText(this.selected, all ? 'all that match are selected' : selected > 0 ? `${formatCount(selected)} selected` : '');
    setText(this.stale, stale ? 'not up to date: the cluster does not answer' : '');
  }

  /** Said to a screen reader. */
  say(text: string): void {
    this.spoken.textContent = text;
  }
}
