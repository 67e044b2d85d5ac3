// The widget of one table: the filter box, the grid, and a line on what is wrong.
import { element, keepKey, setText } from '../card/dom';
import { copyText } from '../card/clipboard';
import { narrowed } from './filter_terms';
import type { ClientMessage, ICopied } from '../protocol/messages';
import { PROTOCOL } from '../protocol/messages';
import { timeText } from './cell_text';
import { FilterBox } from './filter_box';
import { Grid } from './grid';
import { ROW_PIXELS } from './scroll_range';
import type { ITableState, ITableWelcome, TableClientMessage, TableHostMessage } from './table_messages';

/** Header, footer and borders. */
const OTHER_PIXELS = 66;
const LEAST_ROWS = 3;
const MOST_ROWS = 13;
const NOTE_MILLISECONDS = 6000;

export class TableView {
  readonly node = element('div', 'gcs-table-widget');
  private readonly frame = element('div', 'gcs-table-frame');
  private readonly note = element('div', 'gcs-table-note', { role: 'status', 'aria-live': 'polite' });
  private readonly byHand = element('textarea', 'gcs-copy-text', { readonly: '', 'aria-label': 'the rows, to be copied by hand' });
  private readonly trouble = element('div', 'gcs-table-note gcs-alarmed', { role: 'alert' });
  private readonly seen: IntersectionObserver;
  private readonly onPageSeen = () => { this.tellVisible(); };
  private grid: Grid | undefined;
  private box: FilterBox | undefined;
  private shown = true;
  private told = true;
  private live = true;
  private asked = 0;
  private rows = 0;
  private fading: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (message: ClientMessage | TableClientMessage) => void) {
    this.node.append(this.frame, this.byHand, this.note, this.trouble);
    this.byHand.hidden = true;
    this.trouble.hidden = true;
    this.note.textContent = 'Loading…';
    this.byHand.addEventListener('blur', () => { this.byHand.hidden = true; });
    this.node.addEventListener('keydown', event => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key === '/' && !typing) {
        event.preventDefault();
        this.box?.focus();
      }
      keepKey(event);
    });
    this.seen = new IntersectionObserver(entries => {
      this.shown = entries.some(entry => entry.isIntersecting);
      this.tellVisible();
    });
    this.seen.observe(this.node);
    document.addEventListener('visibilitychange', this.onPageSeen);
  }

  /** Ask the host for everything, once its answers are heard. */
  hello(): void {
    this.send({ kind: 'hello', protocol: PROTOCOL });
  }

  receive(message: TableHostMessage): void {
    switch (message.kind) {
      case 'table':
        this.welcome(message);
        break;
      case 'table_state':
        this.state(message);
        break;
      case 'rows':
        this.grid?.receive(message);
        this.box?.setError(message.filter_error ?? null);
        this.grow(message.matching);
        break;
      case 'copied':
        void this.copied(message);
        break;
      case 'trouble':
        setText(this.trouble, message.message);
        break;
    }
  }

  /** The kernel is gone: what is shown is old from now on. */
  orphan(): void {
    this.live = false;
    this.grid?.setStale(true);
    setText(this.trouble, 'The kernel is gone: this is how it was. Run the cell again for the present state.');
  }

  dispose(): void {
    clearTimeout(this.fading);
    this.seen.disconnect();
    document.removeEventListener('visibilitychange', this.onPageSeen);
    if (this.live && this.grid !== undefined) {
      this.send({ kind: 'unview', view: this.grid.options.view, id: this.grid.store.id });
    }
    this.box?.dispose();
    this.grid?.dispose();
    this.node.remove();
  }

  private welcome(welcome: ITableWelcome): void {
    if (this.grid !== undefined) {
      return;
    }
    const { view, columns, label, words } = welcome;
    const box = new FilterBox({ label: `filter of the ${label}`, words, change: () => { this.refilter(); } });
    box.set(welcome.filter);
    const grid = new Grid({
      view, columns, label,
      expandable: view === 'jobs',
      selectable: true,
      request: request => { this.send({ ...request, filter: box.text.trim() }); },
      open: row => { this.send({ kind: 'opened', key: row?.key ?? '' }); },
      selected: keys => { this.send({ kind: 'selected', keys }); },
      copy: (format, keys, names) => {
        this.asked += 1;
        this.send({ kind: 'copy', id: this.asked, view, format, keys, columns: names });
      },
      narrow: (column, value) => { this.filterBy(narrowed(box.text, column, value)); },
      changed: () => undefined,
      filter: () => box.text.trim(),
      clearFilter: () => { this.filterBy(''); }
    });
    this.grid = grid;
    this.box = box;
    setText(this.note, '');
    this.note.hidden = true;
    this.node.prepend(box.node);
    this.frame.append(grid.node);
  }

  private filterBy(text: string): void {
    this.box?.set(text);
    this.refilter();
  }

  private refilter(): void {
    this.grid?.toTop();
    this.grid?.refresh(false);
  }

  private state({ filter, stale_since, error }: ITableState): void {
    const now = Date.now() / 1000;
    this.box?.set(filter);
    this.grid?.setStale(stale_since > 0);
    setText(this.trouble, stale_since > 0 ? [`Stale since ${timeText(stale_since, now)}`, error].filter(Boolean).join(': ') : '');
  }

  /** As high as its rows, up to some; it never shrinks below the reader's eyes. */
  private grow(rows: number): void {
    const wanted = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, rows));
    if (wanted > this.rows) {
      this.rows = wanted;
      this.frame.style.height = `${wanted * ROW_PIXELS + OTHER_PIXELS}px`;
    }
  }

  private async copied({ text, rows, id }: ICopied): Promise<void> {
    if (id !== this.asked) {
      return;
    }
    const done = await copyText(text);
    this.byHand.hidden = done;
    if (done) {
      this.say(`Copied ${rows} ${rows === 1 ? 'row' : 'rows'}.`);
    } else {
      this.byHand.value = text;
      this.byHand.focus();
      this.byHand.select();
      this.say('The browser gives this page no access to the clipboard: press Ctrl+C to copy what is selected.');
    }
  }

  private say(text: string): void {
    setText(this.note, text);
    clearTimeout(this.fading);
    this.fading = setTimeout(() => { setText(this.note, ''); }, NOTE_MILLISECONDS);
  }

  private tellVisible(): void {
    const visible = this.shown && !document.hidden;
    if (visible !== this.told && this.live) {
      this.told = visible;
      this.send({ kind: 'visible', visible });
    }
  }
}
