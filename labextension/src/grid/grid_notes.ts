// What stands in the place of rows when there are none.
import { button, element } from '../card/dom';
import type { ViewName } from '../protocol/messages';
import { nounOf } from './grid_footer';

export class GridNotes {
  readonly node = element('div', 'gcs-nothing', { role: 'note' });
  private readonly line = element('div', 'gcs-nothing-line');
  private readonly filter = element('code', 'gcs-flags');
  private readonly out: HTMLButtonElement;

  constructor(private readonly view: ViewName, clearFilter: () => void) {
    this.out = button('Clear the filter', () => { clearFilter(); });
    this.out.hidden = true;
    this.node.hidden = true;
    this.node.append(this.line, this.filter, this.out);
  }

  /**
   * @param total - rows of the table; below 0: not known yet
   * @param filter - undefined: who shows the grid does not say
   */
  draw(total: number, matching: number, filter: string | undefined): void {
    const nothing = total >= 0 && matching === 0;
    this.node.hidden = !nothing;
    if (nothing) {
      this.line.textContent = total === 0
        ? this.view === 'jobs' ? 'No jobs: nothing waits and nothing runs.' : `No ${nounOf(this.view, 0)}.`
        : `No ${nounOf(this.view, 1)} matches the filter.`;
      this.filter.textContent = filter ?? '';
      this.filter.hidden = total === 0 || filter === undefined || filter === '';
      this.out.hidden = this.filter.hidden;
    }
  }
}
