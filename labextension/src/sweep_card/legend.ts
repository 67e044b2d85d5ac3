// How many tasks are in each state: the strip's key.
import { element, icon } from '../card/dom';
import { formatCount } from '../card/figures';
import { lookOf } from '../card/state_look';

export class Legend {
  readonly node = element('ul', 'gcs-legend', { 'aria-label': 'tasks by state' });
  private shown = '';

  /** `drawn`: the cells of the strip show their state's drawing; else they are filled to a level. */
  update(counts: Record<string, number>, drawn: boolean): void {
    this.node.classList.toggle('gcs-drawn', drawn);
    const told = JSON.stringify(counts);
    if (told === this.shown) {
      return;
    }
    this.shown = told;
    this.node.hidden = Object.keys(counts).length === 0;
    this.node.replaceChildren(...Object.entries(counts).map(([state, count]) => item(state, count)));
  }
}

function item(state: string, count: number): HTMLElement {
  const look = lookOf(state);
  const swatch = element('span', 'gcs-swatch', { 'aria-hidden': 'true' });
  const made = element('li', 'gcs-count', {}, swatch, icon(look.icon), element('b', '', {}, formatCount(count)), ` ${look.word}`);
  made.dataset.state = state;
  made.style.setProperty('--gcs-on-light', look.on_light);
  made.style.setProperty('--gcs-on-dark', look.on_dark);
  made.style.setProperty('--gcs-level', `${Math.round(100 * Math.max(0.15, Math.min(1, look.level)))}%`);
  return made;
}
