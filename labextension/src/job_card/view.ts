// One view of a job's card: draws what the kernel says, and says what is pressed.
import { Card, type IPressRequest } from '../card/card';
import { hasEnded } from '../card/card_state';
import { button, setText } from '../card/dom';
import { formatMemory } from '../card/figures';
import { identity, outcome, reloadNote } from './format';
import { allowedActions, type Action, type IJob } from './job';
import { LogPanel, type ILogAnswer, type ILogRequest } from './log_panel';

const WORDINGS = {
  hold: { label: 'Hold', word: 'hold' },
  release: { label: 'Release', word: 'release' },
  cancel: { label: 'Cancel', word: 'cancel' }
};

export class JobCardView extends Card<IJob, Action> {
  private readonly logs: HTMLButtonElement;
  private readonly panel: LogPanel;

  constructor(job: IJob, send: (message: IPressRequest | ILogRequest) => void, now: () => number) {
    super(job, 'job', WORDINGS, send, now);
    this.panel = new LogPanel(send, () => hasEnded(this.state));
    this.logs = button('Logs', () => {
      this.logs.setAttribute('aria-expanded', String(this.panel.toggle()));
    });
    this.logs.setAttribute('aria-expanded', 'false');
    this.ownButtons.append(this.logs);
    this.body.append(this.panel.node);
    this.draw();
  }

  receive(answer: ILogAnswer): void {
    this.panel.receive(answer);
  }

  override orphan(): void {
    super.orphan();
    // Nobody is there to be asked.
    this.panel.stop();
  }

  override dispose(): void {
    super.dispose();
    this.panel.stop();
  }

  protected allowed(): Action[] {
    return allowedActions(this.state);
  }

  protected facts(): string[] {
    return [...identity(this.state), ...(hasEnded(this.state) ? outcome(this.state) : [])];
  }

  protected done(): { fraction: number; text: string } {
    return { fraction: this.state.progress, text: this.state.progress_text };
  }

  protected ownNotes(): string[] {
    return [reloadNote(this.state, this.now() - performance.now() / 1000)];
  }

  protected drawOwn(ended: boolean): void {
    const { name, system, sub_state: letters, rss, max_rss: peak } = this.state;
    this.pill.title = [system, letters && `state ${letters}`].filter(Boolean).join(': ');
    setText(this.extra, !ended && rss > 0 ? `mem ${formatMemory(rss)}` : '');
    this.extra.title = `memory now; peak ${formatMemory(peak)}`;
    this.logs.hidden = this.orphaned;
    this.logs.setAttribute('aria-label', `Logs of job ${name}`);
  }

  protected refresh(): void {
    this.panel.refresh();
  }

  protected focusKeeper(): HTMLElement {
    return this.logs;
  }
}
