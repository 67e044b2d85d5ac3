// What all cards have: a head with the state and the buttons, notes below it, and words for a screen reader.
import { button, element, icon, setText } from './dom';
import { elapsed, hasEnded, orphanNote, staleNote, type ICardState, type IPress } from './card_state';
import { Reasons } from './reasons';
import { lookOf } from './state_look';
import { Usage } from './usage';

/** After this long without an answer the card says that the kernel has not heard the press yet. */
const UNHEARD_MILLISECONDS = 3000;

export interface IPressRequest {
  kind: 'press';
  action: string;
}

/** How an action is called on its button, and in sentences about it. */
export interface IWording {
  label: string;
  word: string;
}

export abstract class Card<S extends ICardState, A extends string> {
  readonly node = element('section', 'gcs-card');
  /** Where a kind of card puts its own buttons, before the others, and its own content. */
  protected readonly ownButtons = element('span', 'gcs-buttons');
  protected readonly body = element('div', 'gcs-body');
  protected readonly extra = element('span', 'gcs-fact');
  protected readonly pill = element('span', 'gcs-pill');
  protected orphaned = false;
  private readonly name = element('strong', 'gcs-name');
  private readonly identity = element('span', 'gcs-facts');
  private readonly time = element('span', 'gcs-fact');
  private readonly fill = element('span', 'gcs-fill');
  private readonly bar = element('span', 'gcs-bar', { role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.fill);
  private readonly progress = element('span', 'gcs-progress');
  private readonly doing = element('span', 'gcs-doing', {}, this.bar, this.progress);
  private readonly note = element('div', 'gcs-note');
  private readonly trouble = element('div', 'gcs-note gcs-trouble', { role: 'alert' });
  private readonly spoken = element('div', 'gcs-spoken', { role: 'status', 'aria-live': 'polite' });
  private readonly reasons = new Reasons();
  private readonly usage = new Usage();
  private readonly buttons: Map<A, HTMLButtonElement>;
  private readonly ticker: ReturnType<typeof setInterval>;
  private readonly onVisible = () => { this.refresh(); };
  private asked: A | undefined;
  private unheard = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private press: IPress<A> = {};

  /**
   * A kind of card calls {@link draw} at the end of its own constructor.
   *
   * @param state - what is shown, as it is now
   * @param kind - what it is: job, sweep
   * @param wordings - the actions, in the order of their buttons
   * @param send - carries a message to the kernel
   * @param now - the kernel's time in seconds
   */
  constructor(
    protected state: S,
    private readonly kind: string,
    private readonly wordings: Record<A, IWording>,
    private readonly send: (message: IPressRequest) => void,
    protected readonly now: () => number
  ) {
    const actions = Object.keys(wordings) as A[];
    this.buttons = new Map(actions.map(action => [action, button(wordings[action].label, () => { this.onPress(action); })]));
    const facts = element('span', 'gcs-facts', {}, this.identity, this.time, this.extra);
    const said = element('div', 'gcs-row gcs-said', {}, this.pill, this.name, facts, this.doing);
    const pressed = element('div', 'gcs-buttons', {}, this.ownButtons, ...this.buttons.values());
    const head = element('div', 'gcs-head', {}, said, pressed);
    this.node.append(head, this.note, this.trouble, this.reasons.node, this.body, this.usage.node, this.spoken);
    this.ticker = setInterval(() => { this.tick(); }, 1000);
    document.addEventListener('visibilitychange', this.onVisible);
  }

  // -- what each kind of card says for itself ----------------------------------------------------------------------

  /** The actions that the present state allows. */
  protected abstract allowed(): A[];
  /** What is known besides state and name. */
  protected abstract facts(): string[];
  /** The fraction that is done (-1: not known) and words about it. */
  protected abstract done(): { fraction: number; text: string };
  /** More notes, while the kernel is there. */
  protected abstract ownNotes(): string[];
  /** Draw what only this kind of card has. */
  protected abstract drawOwn(ended: boolean): void;
  /** Ask the kernel anew for what is open. */
  protected abstract refresh(): void;
  /** What keeps the keyboard's focus when the button that had it goes. */
  protected abstract focusKeeper(): HTMLElement;

  // -- what comes from the kernel ----------------------------------------------------------------------------------

  /** The kernel has told something new. */
  update(state: S): void {
    const before = this.state;
    this.state = state;
    this.draw();
    if (before.state !== state.state) {
      this.spoken.textContent = `${this.kind} ${state.name} ${state.job_id}: ${lookOf(state.state).word}`;
    }
    if (hasEnded(state) !== hasEnded(before)) {
      this.refresh();
    }
  }

  /** The kernel has heard a press, or has answered it. */
  updatePress(press: IPress): void {
    this.press = press as IPress<A>;
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

  dispose(): void {
    clearInterval(this.ticker);
    clearTimeout(this.patience);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  // -- presses -----------------------------------------------------------------------------------------------------

  private onPress(action: A): void {
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

  // -- drawing -----------------------------------------------------------------------------------------------------

  protected draw(): void {
    const { state } = this;
    const ended = hasEnded(state);
    const look = this.orphaned && !ended ? lookOf('UNDETERMINED') : lookOf(state.state);
    this.node.dataset.state = state.state;
    this.node.setAttribute('aria-label', `cluster ${this.kind} ${state.name} ${state.job_id}`);
    this.node.style.setProperty('--gcs-state', look.colour);
    if (this.pill.textContent !== look.word) {
      this.pill.replaceChildren(icon(look.icon), look.word);
    }
    this.pill.title = state.system;
    setText(this.name, state.name);
    this.name.title = state.name;
    this.drawFacts(this.facts());
    this.drawProgress(ended);
    this.reasons.update(ended || this.orphaned ? [] : state.waiting);
    this.usage.update(ended ? state.usage : [], ended ? state.advice : '');
    this.drawOwn(ended);
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
    const { fraction, text } = this.done();
    const known = fraction >= 0 && !ended;
    const percent = `${Math.floor(100 * Math.min(1, fraction) + 1e-9)}%`;
    this.bar.hidden = !known;
    if (known) {
      this.fill.style.width = percent;
      this.bar.setAttribute('aria-valuenow', percent.slice(0, -1));
      this.bar.setAttribute('aria-valuetext', [percent, text].filter(Boolean).join(', '));
      this.bar.setAttribute('aria-label', `progress of ${this.kind} ${this.state.name}`);
    }
    setText(this.progress, ended ? '' : [known ? percent : '', text].filter(Boolean).join(' · '));
    this.progress.title = text;
    this.doing.hidden = this.bar.hidden && this.progress.hidden;
  }

  private drawButtons(): void {
    const allowed = this.orphaned ? [] : this.allowed();
    const waiting = this.isWaiting();
    for (const [action, node] of this.buttons) {
      // A button that goes while it has the keyboard's focus hands it to what stays.
      const hide = !allowed.includes(action);
      if (hide && document.activeElement === node) {
        this.focusKeeper().focus();
      }
      node.hidden = hide;
      node.setAttribute('aria-disabled', String(waiting));
      node.setAttribute('aria-label', `${this.wordings[action].label} ${this.kind} ${this.state.name}`);
    }
  }

  private drawNotes(): void {
    const { state, press } = this;
    const ended = hasEnded(state);
    const failed = state.state === 'FAILED';
    const notes = this.orphaned && !ended
      ? [orphanNote(state, this.kind)]
      : [this.pressNote(), staleNote(state), failed ? '' : state.message, ...this.ownNotes()];
    setText(this.note, notes.filter(Boolean).join(' · '));
    const refused = press.phase === 'failed' && this.matters(press.action)
      ? `${this.wordings[press.action].word} failed: ${press.error ?? ''}`
      : '';
    setText(this.trouble, [failed ? state.message : '', refused].filter(Boolean).join(' · '));
  }

  /** Whether words about a press are still of use: not when all is over and there is nothing to press. */
  private matters(action: A | undefined): action is A {
    return action !== undefined && (!hasEnded(this.state) || this.allowed().includes(action));
  }

  private pressNote(): string {
    const action = this.asked ?? this.press.action;
    if (!this.matters(action)) {
      return '';
    }
    const { word } = this.wordings[action];
    if (this.asked === undefined && this.press.phase === 'accepted') {
      return word === 'cancel' ? `cancel accepted; the ${this.kind} is being ended…` : `${word} accepted`;
    }
    if (this.asked === undefined && this.press.phase === 'failed') {
      return '';
    }
    return this.unheard
      ? `${word} requested; the kernel is busy and will hear it when the running cell ends`
      : `${word} requested…`;
  }

  protected tick(): void {
    setText(this.time, this.orphaned && !hasEnded(this.state) ? '' : elapsed(this.state, this.now()));
  }
}
