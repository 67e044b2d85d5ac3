// One view of a sweep's card: the common head, the key, the strip, and the tasks of the cell that is open.
import { Card, type IPressRequest } from '../card/card';
import { hasEnded } from '../card/card_state';
import { element, setText } from '../card/dom';
import { Legend } from './legend';
import { Strip } from './strip';
import { allowedActions, cellName, estimate, identity, progress, tasksOf, wall, type Action, type ISweep } from './sweep';
import { TaskPanel, type TaskAnswer, type TaskRequest } from './task_panel';

const WORDINGS = {
  rerun_failed: { label: 'Rerun failed', word: 'rerun' },
  hold: { label: 'Hold', word: 'hold' },
  release: { label: 'Release', word: 'release' },
  cancel: { label: 'Cancel', word: 'cancel' }
};

export class SweepCardView extends Card<ISweep, Action> {
  private readonly legend = new Legend();
  private readonly strip: Strip;
  private readonly panel: TaskPanel;

  constructor(sweep: ISweep, send: (message: IPressRequest | TaskRequest) => void, now: () => number) {
    super(sweep, 'sweep', WORDINGS, send, now);
    this.panel = new TaskPanel(send, () => hasEnded(this.state), () => { this.close(); });
    this.strip = new Strip(sweep, {
      open: cell => { this.open(cell); },
      close: () => { this.close(); },
      laidOut: () => { this.legend.update(this.state.counts, this.strip.drawn); }
    });
    const key = element('div', 'gcs-row gcs-key', {}, this.legend.node, this.strip.readout);
    this.body.append(this.strip.node, key, this.panel.node);
    this.draw();
  }

  receive(answer: TaskAnswer): void {
    this.panel.receive(answer);
  }

  override orphan(): void {
    super.orphan();
    // Nobody is there to be asked.
    this.panel.stop();
  }

  override dispose(): void {
    super.dispose();
    this.strip.dispose();
    this.panel.stop();
  }

  protected allowed(): Action[] {
    return allowedActions(this.state);
  }

  protected facts(): string[] {
    return [...identity(this.state), ...(hasEnded(this.state) ? wall(this.state) : [])];
  }

  protected done(): { fraction: number; text: string } {
    return progress(this.state);
  }

  protected ownNotes(): string[] {
    return [];
  }

  protected drawOwn(): void {
    setText(this.extra, this.orphaned ? '' : estimate(this.state));
    this.strip.update(this.state);
    this.legend.update(this.state.counts, this.strip.drawn);
  }

  protected refresh(): void {
    this.panel.refresh();
  }

  protected focusKeeper(): HTMLElement {
    return this.strip.node;
  }

  protected override tick(): void {
    super.tick();
    this.strip.check();
  }

  private open(cell: number): void {
    if (!this.orphaned) {
      this.strip.markOpened(cell);
      const [first, last] = tasksOf(this.state, cell);
      this.panel.open(cell, cellName(this.state, cell), last - first + 1);
    }
  }

  private close(): void {
    this.panel.close();
    this.strip.markOpened(-1);
    this.strip.node.focus();
  }
}
