// One view of a job's card: draws what the kernel says, and says what is pressed.
import { button, element, icon, setText } from './dom';
import { elapsed, formatMemory, identity, orphanNote, outcome, reloadNote, staleNote } from './format';
import { allowedActions, hasEnded, lookOf, type Action, type IJob, type IPress } from './job';
import { LogPanel, type ILogAnswer, type ILogRequest } from './log_panel';

/** After this long without an answer the card says that the kernel has not heard the press yet. */
const UNHEARD_MILLISECONDS = 3000;
const LABELS: Record<Action, string> = { cancel: 'Cancel', hold: 'Hold', release: 'Release' };

export interface IPressRequest {
  kind: 'press';
  action: Action;
}

export class CardView {
  readonly node = element('section', 'gcs-card');
  private readonly pill = element('span', 'gcs-pill');
  private readonly name = element('strong', 'gcs-name');
  private readonly facts = element('span', 'gcs-facts');
  private readonly identity = element('span', 'gcs-facts');
  private readonly time = element('span', 'gcs-fact');
  private readonly memory = element('span', 'gcs-fact');
  private readonly fill = element('span', 'gcs-fill');
  private readonly bar = element('span', 'gcs-bar', { role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.fill);
  private readonly progress = element('span', 'gcs-progress');
  private readonly doing = element('span', 'gcs-doing');
  private readonly note = element('div', 'gcs-note');
  private readonly trouble = element('div', 'gcs-note gcs-trouble', { role: 'alert' });
  private readonly spoken = element('div', 'gcs-spoken', { role: 'status', 'aria-live': 'polite' });
  private readonly buttons: Map<Action, HTMLButtonElement>;
  private readonly logs: HTMLButtonElement;
  private readonly panel: LogPanel;
  private readonly ticker: ReturnType<typeof setInterval>;
  private readonly onVisible = () => { this.panel.refresh(); };
  private asked: Action | undefined;
  private unheard = false;
  private orphaned = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private job: IJob;
  private press: IPress = {};

  /**
   * @param job - the job as it is now
   * @param send - carries a message to the kernel
   * @param now - the kernel's time in seconds
   */
  constructor(
    job: IJob,
    private readonly send: (message: IPressRequest | ILogRequest) => void,
    private readonly now: () => number
  ) {
    this.job = job;
    this.panel = new LogPanel(this.send, () => hasEnded(this.job));
    const actions: Action[] = ['hold', 'release', 'cancel'];
    this.buttons = new Map(actions.map(action => [action, button(LABELS[action], () => { this.onPress(action); })]));
    this.logs = button('Logs', () => {
      this.logs.setAttribute('aria-expanded', String(this.panel.toggle()));
    });
    this.logs.setAttribute('aria-expanded', 'false');
    this.buttons.get('cancel')?.classList.add('gcs-danger');
    this.facts.append(this.identity, this.time, this.memory);
    this.doing.append(this.bar, this.progress);
    const said = element('div', 'gcs-row gcs-said', {}, this.pill, this.name, this.facts, this.doing);
    const pressed = element('div', 'gcs-buttons', {}, this.logs, ...this.buttons.values());
    this.node.append(element('div', 'gcs-head', {}, said, pressed), this.note, this.trouble, this.panel.node, this.spoken);
    this.ticker = setInterval(() => { this.tick(); }, 1000);
    document.addEventListener('visibilitychange', this.onVisible);
    this.draw();
  }

  /** The kernel has told something new of the job. */
  updateJob(job: IJob): void {
    const before = this.job;
    this.job = job;
    this.draw();
    if (before.state !== job.state) {
      this.spoken.textContent = `job ${job.name} ${job.job_id}: ${lookOf(job.state).word}`;
    }
    if (hasEnded(job) && !hasEnded(before)) {
      this.panel.refresh();
    }
  }

  /** The kernel has heard a press, or has answered it. */
  updatePress(press: IPress): void {
    this.press = press;
    this.settle();
    this.draw();
  }

  /** The kernel was restarted or is gone: what the card says is old from now on, and nobody hears its buttons. */
  orphan(): void {
    this.orphaned = true;
    this.settle();
    clearInterval(this.ticker);
    this.draw();
  }

  receive(answer: ILogAnswer): void {
    this.panel.receive(answer);
  }

  dispose(): void {
    clearInterval(this.ticker);
    clearTimeout(this.patience);
    this.panel.stop();
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  private onPress(action: Action): void {
    if (this.isWaiting()) {
      return;
    }
    this.asked = action;
    this.press = {};
    this.patience = setTimeout(() => {
      this.unheard = true;
      this.drawNotes();
    }, UNHEARD_MILLISECONDS);
    this.send({ kind: 'press', action });
    this.draw();
  }

  private isWaiting(): boolean {
    return this.asked !== undefined || this.press.phase === 'sent';
  }

  private settle(): void {
    clearTimeout(this.patience);
    this.asked = undefined;
    this.unheard = false;
  }

  private draw(): void {
    const { job } = this;
    const ended = hasEnded(job);
    const look = this.orphaned && !ended ? lookOf('UNDETERMINED') : lookOf(job.state);
    this.node.dataset.state = job.state;
    this.node.setAttribute('aria-label', `cluster job ${job.name} ${job.job_id}`);
    this.node.style.setProperty('--gcs-state', look.colour);
    if (this.pill.textContent !== look.word) {
      this.pill.replaceChildren(icon(look.icon), look.word);
    }
    this.pill.title = [job.system, job.sub_state && `state ${job.sub_state}`].filter(Boolean).join(': ');
    setText(this.name, job.name);
    this.name.title = job.name;
    this.drawFacts([...identity(job), ...(ended ? outcome(job) : [])]);
    setText(this.memory, !ended && job.rss > 0 ? `mem ${formatMemory(job.rss)}` : '');
    this.memory.title = `memory now; peak ${formatMemory(job.max_rss)}`;
    this.drawProgress(ended);
    this.drawButtons();
    this.drawNotes();
    this.tick();
  }

  private drawFacts(facts: string[]): void {
    if (this.identity.textContent !== facts.join('')) {
      this.identity.replaceChildren(...facts.map(fact => element('span', 'gcs-fact', { title: fact }, fact)));
    }
  }

  private drawProgress(ended: boolean): void {
    const { progress, progress_text: text, name } = this.job;
    const known = progress >= 0 && !ended;
    const percent = `${Math.round(100 * Math.min(1, progress))}%`;
    this.bar.hidden = !known;
    if (known) {
      this.fill.style.width = percent;
      this.bar.setAttribute('aria-valuenow', percent.slice(0, -1));
      this.bar.setAttribute('aria-valuetext', [percent, text].filter(Boolean).join(', '));
      this.bar.setAttribute('aria-label', `progress of job ${name}`);
    }
    setText(this.progress, ended ? '' : [known ? percent : '', text].filter(Boolean).join(' · '));
    this.progress.title = text;
    this.doing.hidden = this.bar.hidden && this.progress.hidden;
  }

  private drawButtons(): void {
    const allowed = this.orphaned ? [] : allowedActions(this.job);
    const waiting = this.isWaiting();
    for (const [action, node] of this.buttons) {
      // A button that goes while it has the keyboard's focus hands it to the one that stays.
      const hide = !allowed.includes(action);
      if (hide && document.activeElement === node) {
        this.logs.focus();
      }
      node.hidden = hide;
      node.setAttribute('aria-disabled', String(waiting));
      node.setAttribute('aria-label', `${LABELS[action]} job ${this.job.name}`);
    }
    this.logs.hidden = this.orphaned;
    this.logs.setAttribute('aria-label', `Logs of job ${this.job.name}`);
  }

  private drawNotes(): void {
    const { job, press } = this;
    const ended = hasEnded(job);
    const failed = job.state === 'FAILED';
    const pageLoaded = this.now() - performance.now() / 1000;
    const notes = this.orphaned && !ended
      ? [orphanNote(job)]
      : [this.pressNote(ended), staleNote(job), failed ? '' : job.message, reloadNote(job, pageLoaded)];
    setText(this.note, notes.filter(Boolean).join(' · '));
    const refused = press.phase === 'failed' && !ended ? `${press.action ?? ''} failed: ${press.error ?? ''}` : '';
    setText(this.trouble, [failed ? job.message : '', refused].filter(Boolean).join(' · '));
  }

  private pressNote(ended: boolean): string {
    const action = this.asked ?? this.press.action;
    if (ended || action === undefined) {
      return '';
    }
    if (this.asked === undefined && this.press.phase === 'accepted') {
      return action === 'cancel' ? 'cancel accepted; the job is being ended…' : `${action} accepted`;
    }
    if (this.asked === undefined && this.press.phase === 'failed') {
      return '';
    }
    return this.unheard
      ? `${action} requested; the kernel is busy and will hear it when the running cell ends`
      : `${action} requested…`;
  }

  private tick(): void {
    setText(this.time, this.orphaned && !hasEnded(this.job) ? '' : elapsed(this.job, this.now()));
  }
}
