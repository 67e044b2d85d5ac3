// The lines of a log that are seen, drawn; the scroll bar stands for all of them. Lines may be wrapped: then those above
// and below are as high as they happen to be, and the scroll bar goes by lines.
import { element } from '../../card/dom';
import { ScrollRange } from '../../grid/scroll_range';
import { type IPart, partsOf } from './log_colours';

export const LINE_PIXELS = 18;
const SETTLE_MILLISECONDS = 150;
/** Lines that are drawn beyond what is seen. */
const AROUND = 4;

export interface ILogLook {
  total: number;
  line: (number: number) => string | undefined;
  wrap: boolean;
  follow: boolean;
  search: string;
  /** The line that a search stands at; -1: none. */
  current: number;
  /** Chosen lines, the last one included; null: none. */
  chosen: readonly [number, number] | null;
}

export interface ILogHands {
  /** These lines are seen: they may have to be asked for. */
  seen: (first: number, end: number) => void;
  /** Whether somebody scrolled to the end, or away from it. */
  atEnd: (end: boolean) => void;
  /** A number was pressed; `more`: up to there. */
  choose: (line: number, more: boolean) => void;
}

export class LogList {
  readonly node: HTMLElement;
  readonly range = new ScrollRange(LINE_PIXELS);
  private readonly space = element('div', 'jp-gcs-lab-log-space');
  private readonly lines = element('pre', 'jp-gcs-lab-log-lines');
  private readonly window = element('div', 'jp-gcs-lab-log-window jp-RenderedText', {}, this.lines);
  private readonly sizes: ResizeObserver;
  private look: ILogLook = { total: 0, line: () => undefined, wrap: false, follow: true, search: '', current: -1, chosen: null };
  private settling: ReturnType<typeof setTimeout> | undefined;
  private frame = 0;
  private height = 0;
  private digits = 0;
  /** What stands in each drawn line, so that only what differs is drawn. */
  private drawn: string[] = [];

  /** @param label - for a screen reader */
  constructor(label: string, private readonly hands: ILogHands) {
    this.space.append(this.window);
    this.node = element('div', 'jp-gcs-lab-log', { tabindex: '0', role: 'region', 'aria-label': label }, this.space);
    this.node.addEventListener('scroll', () => { this.onScroll(); }, { passive: true });
    this.window.addEventListener('click', event => { this.onClick(event); });
    this.sizes = new ResizeObserver(() => { this.onSize(); });
    this.sizes.observe(this.node);
  }

  dispose(): void {
    this.sizes.disconnect();
    clearTimeout(this.settling);
    cancelAnimationFrame(this.frame);
  }

  /** Show it so. */
  show(look: ILogLook): void {
    const before = this.look;
    this.look = look;
    this.node.classList.toggle('jp-mod-wrapped', look.wrap);
    if (before.wrap !== look.wrap) {
      this.space.style.minWidth = '';
    }
    this.measure();
    if (look.follow) {
      this.toEnd();
    }
    this.draw();
  }

  /** Bring a line into the middle. */
  reveal(line: number): void {
    this.range.moveTo((line + 0.5) * LINE_PIXELS - this.height / 2);
    this.settle();
    this.draw();
  }

  private toEnd(): void {
    this.range.moveTo(Number.MAX_SAFE_INTEGER);
    clearTimeout(this.settling);
    this.settle();
  }

  private onSize(): void {
    this.height = this.node.clientHeight;
    this.measure();
    if (this.look.follow) {
      this.toEnd();
    }
    this.draw();
  }

  private measure(): void {
    // Wrapped lines are higher than they count: each can be brought to the top.
    const page = this.look.wrap ? LINE_PIXELS : this.height;
    this.range.resize(this.look.total, Math.max(0, page));
    const room = this.look.wrap ? this.height - LINE_PIXELS : 0;
    this.space.style.height = `${this.range.height + Math.max(0, room)}px`;
    this.window.style.height = `${this.height}px`;
  }

  private onScroll(): void {
    const was = this.look.follow;
    const before = this.range.top;
    this.range.scrolled(this.node.scrollTop);
    const { scrollTop, scrollHeight } = this.node;
    const end = scrollTop + this.height >= scrollHeight - 2;
    if (was && !end && this.range.top < before) {
      if (this.look.wrap) {
        // Until now the last lines stood at the bottom: go on from the first that was seen.
        this.range.moveTo(Math.max(0, this.firstSeen() - 1) * LINE_PIXELS);
      }
      this.hands.atEnd(false);
    } else if (!was && end && this.look.total > 0 && this.range.top > before) {
      this.hands.atEnd(true);
    }
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { this.settle(); }, SETTLE_MILLISECONDS);
    this.drawSoon();
  }

  /** Let the scroll bar stand where the lines are. */
  private settle(): void {
    const top = this.range.settled();
    if (Math.abs(this.node.scrollTop - top) >= 1) {
      this.node.scrollTop = top;
    }
  }

  private drawSoon(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { this.draw(); });
  }

  private firstSeen(): number {
    const edge = this.node.getBoundingClientRect().top;
    const rows = [...this.lines.children];
    const seen = rows.find(row => row.getBoundingClientRect().bottom > edge);
    return Number(seen?.getAttribute('data-line') ?? 0);
  }

  private draw(): void {
    const { total, wrap, follow } = this.look;
    const fits = Math.ceil(this.height / LINE_PIXELS) + 1;
    const atEnd = wrap && follow;
    const first = Math.max(0, atEnd ? total - fits : this.range.firstRow - (wrap ? 0 : AROUND));
    const end = Math.min(total, atEnd ? total : this.range.firstRow + fits + AROUND);
    const digits = String(Math.max(1, total)).length;
    if (this.digits !== digits) {
      this.digits = digits;
      this.lines.style.setProperty('--gcs-digits', String(digits));
    }
    for (let place = 0; place < Math.max(0, end - first); place += 1) {
      this.drawLine(place, first + place);
    }
    while (this.lines.childElementCount > Math.max(0, end - first)) {
      this.lines.lastElementChild?.remove();
      this.drawn.pop();
    }
    this.place(first, atEnd);
    if (!wrap) {
      // It does not get narrower again while one scrolls: the lines would jump sideways.
      const wide = Math.max(this.node.clientWidth, this.lines.scrollWidth);
      this.space.style.minWidth = `${Math.max(wide, Number.parseFloat(this.space.style.minWidth) || 0)}px`;
    }
    if (end > first) {
      this.hands.seen(first, end);
    }
  }

  private place(first: number, atEnd: boolean): void {
    if (atEnd) {
      const over = [...this.lines.children].reduce((sum, row) => sum + (row as HTMLElement).offsetHeight, 0) - this.height;
      this.lines.style.transform = `translateY(${-Math.max(0, over)}px)`;
      return;
    }
    let shift = first * LINE_PIXELS - this.range.top;
    if (this.look.wrap) {
      // The part of the first line that is scrolled away, of its own height.
      const high = (this.lines.firstElementChild as HTMLElement | null)?.offsetHeight ?? LINE_PIXELS;
      shift *= high / LINE_PIXELS;
    }
    this.lines.style.transform = `translateY(${shift}px)`;
  }

  private drawLine(place: number, line: number): void {
    const { search, current, chosen } = this.look;
    const text = this.look.line(line);
    const isChosen = chosen !== null && line >= chosen[0] && line <= chosen[1];
    const key = `${line}\n${search}\n${line === current}\n${isChosen}\n${text ?? '\0'}`;
    if (this.drawn[place] === key) {
      return;
    }
    this.drawn[place] = key;
    const row = (this.lines.children[place] ?? this.lines.appendChild(newRow())) as HTMLElement;
    row.dataset.line = String(line);
    row.classList.toggle('jp-mod-current', line === current);
    row.classList.toggle('jp-mod-chosen', isChosen);
    row.classList.toggle('jp-mod-awaited', text === undefined);
    const [number, words] = row.children as unknown as [HTMLElement, HTMLElement];
    number.textContent = String(line + 1);
    if (text === undefined) {
      words.textContent = '…';
    } else if (search === '' && !text.includes('\x1b')) {
      words.textContent = text;
    } else {
      words.replaceChildren(...partsOf(text, search).map(nodeOf));
    }
  }

  private onClick(event: MouseEvent): void {
    const number = event.target instanceof Element ? event.target.closest('.jp-gcs-lab-log-number') : null;
    const line = number?.parentElement?.dataset.line;
    if (line !== undefined) {
      this.hands.choose(Number(line), event.shiftKey);
    }
  }
}

function newRow(): HTMLElement {
  return element(
    'div', 'jp-gcs-lab-log-line', {},
    element('span', 'jp-gcs-lab-log-number', { 'aria-hidden': 'true' }), element('span', 'jp-gcs-lab-log-words')
  );
}

function nodeOf(part: IPart): Node {
  if (part.look === '' && part.colour === undefined && part.ground === undefined && !part.found) {
    return document.createTextNode(part.text);
  }
  const node = element(part.found ? 'mark' : 'span', part.look, {}, part.text);
  node.style.color = part.colour ?? '';
  node.style.backgroundColor = part.ground ?? '';
  return node;
}
