// A line for the filter language: completes words and values, and shows what is wrong where it is wrong.
import { element, icon, setText } from '../card/dom';
import type { IFilterError, IFilterWord } from '../protocol/messages';
import { activeIn } from './grid_focus';
import { completed, offersFor, type IOffer } from './completion';

export interface IFilterBoxOptions {
  /** For a screen reader: "filter of the jobs". */
  label: string;
  placeholder?: string;
  words: IFilterWord[];
  /** The text after a pause in typing, or at once on Enter, Escape and a press of the button. */
  change(text: string): void;
}

const PAUSE_MILLISECONDS = 250;
const GLASS = 'M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9M10.3 10.3l3.4 3.4';
const CROSS = 'M4 4l8 8M12 4l-8 8';
let made = 0;

export class FilterBox {
  readonly node: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly clear = element('button', 'gcs-filter-clear', { type: 'button', 'aria-label': 'clear the filter', title: 'Clear the filter' }, icon(CROSS));
  private readonly list: HTMLElement;
  private readonly marks = element('div', 'gcs-filter-marks', { 'aria-hidden': 'true' });
  private readonly trouble: HTMLElement;
  private readonly spoken = element('span', 'gcs-spoken', { role: 'status', 'aria-live': 'polite' });
  private words: IFilterWord[];
  private offers: IOffer[] = [];
  private chosen = -1;
  private told = '';
  private unsaid: IFilterError | null = null;
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: IFilterBoxOptions) {
    made += 1;
    const id = `gcs-filter-${made}`;
    this.words = options.words;
    this.input = element('input', 'gcs-filter-input', {
      type: 'text', role: 'combobox', 'aria-label': options.label, 'aria-expanded': 'false', 'aria-autocomplete': 'list',
      'aria-controls': `${id}-offers`, 'aria-describedby': `${id}-trouble`, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
      placeholder: options.placeholder ?? 'filter: owner:alice state:r slots>4 name~fit'
    });
    this.list = element('ul', 'gcs-filter-offers', { id: `${id}-offers`, role: 'listbox', 'aria-label': 'words and values' });
    this.trouble = element('div', 'gcs-filter-trouble', { id: `${id}-trouble` });
    this.list.hidden = true;
    this.clear.hidden = true;
    this.trouble.hidden = true;
    const field = element('div', 'gcs-filter-field', {}, this.marks, this.input);
    const line = element('div', 'gcs-filter-line', {}, icon(GLASS), field, this.clear, this.list);
    // JupyterLab leaves keys below this attribute alone.
    this.node = element('div', 'gcs-filter', { role: 'search', 'data-lm-suppress-shortcuts': 'true' }, line, this.trouble, this.spoken);
    this.input.addEventListener('input', () => { this.onInput(); });
    this.input.addEventListener('keydown', event => { this.onKey(event); });
    this.input.addEventListener('click', () => { this.offer(); });
    this.input.addEventListener('scroll', () => { this.marks.scrollLeft = this.input.scrollLeft; });
    this.input.addEventListener('blur', () => {
      this.hide();
      this.tell();
      if (this.unsaid !== null) {
        this.drawError(this.unsaid);
      }
    });
    this.clear.addEventListener('click', () => {
      this.set('');
      this.input.focus();
      this.tell(true);
    });
  }

  get text(): string {
    return this.input.value;
  }

  /** Show a text that came from elsewhere; whoever types is not disturbed by what he told. */
  set(text: string): void {
    this.told = text.trim();
    if (this.input.value.trim() !== this.told) {
      clearTimeout(this.pause);
      this.input.value = text;
      this.drawError(null);
      this.hide();
    }
    this.clear.hidden = this.input.value === '';
  }

  setWords(words: IFilterWord[]): void {
    this.words = words;
  }

  setError(error: IFilterError | null): void {
    // An error of an older text says nothing of this one; and whoever still types will mend what is not complete.
    this.unsaid = error?.incomplete === true && activeIn(this.node) === this.input ? error : null;
    this.drawError(this.unsaid === null && this.input.value.trim() === this.told ? error : null);
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  dispose(): void {
    clearTimeout(this.pause);
    this.node.remove();
  }

  // -- typing -------------------------------------------------------------------------------------------------------

  private onInput(): void {
    this.clear.hidden = this.input.value === '';
    this.unsaid = null;
    this.drawError(null);
    this.offer();
    clearTimeout(this.pause);
    this.pause = setTimeout(() => { this.tell(); }, PAUSE_MILLISECONDS);
  }

  private tell(again = false): void {
    clearTimeout(this.pause);
    const text = this.input.value.trim();
    if (text !== this.told || again) {
      this.told = text;
      this.options.change(text);
    }
  }

  private onKey(event: KeyboardEvent): void {
    const open = !this.list.hidden;
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !open) {
      this.offer();
    } else if (event.key === 'ArrowDown') {
      this.choose((this.chosen + 1) % this.offers.length);
    } else if (event.key === 'ArrowUp') {
      this.choose(this.chosen <= 0 ? this.offers.length - 1 : this.chosen - 1);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && open && this.chosen >= 0) {
      this.accept(this.chosen);
    } else if (event.key === 'Enter') {
      this.hide();
      this.tell();
    } else if (event.key === 'Escape' && open) {
      this.hide();
    } else if (event.key === 'Escape' && this.input.value !== '') {
      this.set('');
      this.tell(true);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // -- offers -------------------------------------------------------------------------------------------------------

  private offer(): void {
    const caret = this.input.selectionStart ?? this.input.value.length;
    this.offers = offersFor(this.input.value, caret, this.words);
    if (this.offers.length === 0) {
      this.hide();
      return;
    }
    this.list.replaceChildren(...this.offers.map((offer, place) => {
      const item = element('li', 'gcs-filter-offer', { role: 'option', id: `${this.list.id}-${place}`, 'aria-selected': 'false' },
        element('span', 'gcs-filter-word', {}, offer.label), element('span', 'gcs-filter-help', {}, offer.help));
      // Not click: the line would have lost the focus before.
      item.addEventListener('pointerdown', event => {
        event.preventDefault();
        this.accept(place);
      });
      return item;
    }));
    this.list.hidden = false;
    this.input.setAttribute('aria-expanded', 'true');
    this.choose(-1);
    this.spoken.textContent = `${this.offers.length} ${this.offers.length === 1 ? 'suggestion' : 'suggestions'}`;
  }

  private choose(place: number): void {
    this.chosen = place;
    [...this.list.children].forEach((item, at) => {
      item.setAttribute('aria-selected', String(at === place));
      if (at === place) {
        this.input.setAttribute('aria-activedescendant', item.id);
        item.scrollIntoView({ block: 'nearest' });
      }
    });
    if (place < 0) {
      this.input.removeAttribute('aria-activedescendant');
    }
  }

  private accept(place: number): void {
    const offer = this.offers[place];
    if (offer === undefined) {
      return;
    }
    const { text, caret } = completed(this.input.value, offer);
    this.input.value = text;
    this.input.setSelectionRange(caret, caret);
    this.hide();
    this.onInput();
    if (offer.whole) {
      this.hide();
      this.tell();
    }
  }

  private hide(): void {
    this.list.hidden = true;
    this.chosen = -1;
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
    this.spoken.textContent = '';
  }

  // -- what is wrong ------------------------------------------------------------------------------------------------

  private drawError(error: IFilterError | null): void {
    if (error === null) {
      this.marks.replaceChildren();
      setText(this.trouble, '');
      this.input.removeAttribute('aria-invalid');
      return;
    }
    const { value } = this.input;
    // What the host got had no blanks around it.
    const before = value.length - value.trimStart().length;
    const start = Math.min(value.length, error.start + before);
    const end = Math.max(start + 1, error.end + before);
    this.marks.replaceChildren(value.slice(0, start), element('mark', 'gcs-filter-wrong', {}, value.slice(start, end) || ' '), value.slice(end));
    this.marks.scrollLeft = this.input.scrollLeft;
    setText(this.trouble, error.message);
    this.input.setAttribute('aria-invalid', 'true');
  }
}
