// The strip of a sweep's tasks: one element, however many tasks there are, for mouse, keyboard and screen reader.
import { element, setText } from '../card/dom';
import { cellText, stateOf, type ISweep } from './sweep';
import { cellAt, layoutStrip, moveBy, type ILayout } from './strip_layout';
import { paintStrip, type IGround, type IMarks } from './strip_paint';

const KEYS = 'arrow keys move, Enter opens, F goes to the next failed, Escape closes';
const KEYS_SHORT = 'Enter: open · F: next failed';
const DARK_LUMINANCE = 0.4;

export interface IStripEvents {
  /** A cell was clicked, or opened by the keyboard. */
  open(cell: number): void;
  /** Escape was pressed. */
  close(): void;
  /** The cells have another size now. */
  laidOut(): void;
}

export class Strip {
  /** What the pointed or focused cell is. */
  readonly readout = element('span', 'gcs-readout', { 'aria-hidden': 'true' });
  /**
   * A slider: the role of one thing with a value that the arrow keys change. The value is the cell in focus, its text
   * says the cell's tasks and state. (A grid would need an element a cell.)
   */
  readonly node = element('div', 'gcs-strip', {
    role: 'slider',
    tabindex: '0',
    'aria-description': KEYS,
    // JupyterLab's one-key commands (D D deletes the cell) would hear these keys too.
    'data-lm-suppress-shortcuts': 'true'
  });
  private readonly canvas = element('canvas', 'gcs-cells', { 'aria-hidden': 'true' });
  private readonly watcher: ResizeObserver;
  private readonly marks: IMarks = { focused: -1, hovered: -1, opened: -1 };
  private layout: ILayout;
  private cell = 0;
  private room = 0;
  private painting = 0;
  private seen = '';

  constructor(
    private sweep: ISweep,
    private readonly events: IStripEvents
  ) {
    this.layout = layoutStrip(sweep.strip.length, 600);
    this.node.append(this.canvas);
    this.canvas.addEventListener('pointermove', event => { this.hover(this.at(event)); });
    this.canvas.addEventListener('pointerleave', () => { this.hover(-1); });
    this.canvas.addEventListener('click', event => {
      const cell = this.at(event);
      if (cell >= 0) {
        this.focusCell(cell);
        this.events.open(cell);
      }
    });
    this.node.addEventListener('keydown', event => { this.onKey(event); });
    this.node.addEventListener('focus', () => { this.mark('focused', this.cell); });
    this.node.addEventListener('blur', () => { this.mark('focused', -1); });
    this.watcher = new ResizeObserver(entries => { this.fit(entries[0]?.contentRect.width ?? 0); });
    this.watcher.observe(this.node);
    this.update(sweep);
  }

  update(sweep: ISweep): void {
    this.sweep = sweep;
    const count = sweep.strip.length;
    this.node.hidden = count === 0;
    this.cell = Math.max(0, Math.min(this.cell, count - 1));
    this.node.setAttribute('aria-label', `tasks of sweep ${sweep.name}`);
    this.node.setAttribute('aria-valuemin', '1');
    this.node.setAttribute('aria-valuemax', String(Math.max(1, count)));
    this.relayout();
    this.tell();
  }

  /** Whether the cells are large enough to show their state's drawing. */
  get drawn(): boolean {
    return this.layout.drawings;
  }

  /** Show which cell is open; -1: none. */
  markOpened(cell: number): void {
    this.mark('opened', cell);
  }

  /** Paint again if the page's theme or the screen is another one now. */
  check(): void {
    if (this.look() !== this.seen) {
      this.paintSoon();
    }
  }

  dispose(): void {
    this.watcher.disconnect();
    cancelAnimationFrame(this.painting);
  }

  private at(event: MouseEvent): number {
    const { left, top } = this.canvas.getBoundingClientRect();
    return cellAt(this.layout, event.clientX - left, event.clientY - top);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const to = event.key.toLowerCase() === 'f' ? this.nextFailed() : moveBy(this.layout, this.cell, event.key);
    if (to !== undefined) {
      this.focusCell(to);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.events.open(this.cell);
    } else if (event.key === 'Escape') {
      this.events.close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private nextFailed(): number {
    const { length } = this.sweep.strip;
    for (let step = 1; step <= length; step += 1) {
      const cell = (this.cell + step) % length;
      if (stateOf(this.sweep, cell) === 'FAILED') {
        return cell;
      }
    }
    return this.cell;
  }

  private focusCell(cell: number): void {
    this.cell = cell;
    this.marks.focused = document.activeElement === this.node ? cell : -1;
    this.tell();
    this.paintSoon();
  }

  private hover(cell: number): void {
    if (cell !== this.marks.hovered) {
      this.mark('hovered', cell);
    }
  }

  private mark(which: keyof IMarks, cell: number): void {
    this.marks[which] = cell;
    this.tell();
    this.paintSoon();
  }

  private tell(): void {
    const { focused, hovered } = this.marks;
    const text = this.sweep.strip.length === 0 ? '' : cellText(this.sweep, this.cell);
    this.node.setAttribute('aria-valuenow', String(this.cell + 1));
    this.node.setAttribute('aria-valuetext', text);
    const pointed = hovered >= 0 && hovered < this.sweep.strip.length ? cellText(this.sweep, hovered) : '';
    setText(this.readout, pointed || (focused >= 0 ? `${text} · ${KEYS_SHORT}` : ''));
    // The line keeps its place: what is below the strip does not jump.
    this.readout.hidden = false;
  }

  private fit(room: number): void {
    // The strip is not shown (another tab): keep what there is.
    if (room > 0 && room !== this.room) {
      this.room = room;
      this.relayout();
      this.events.laidOut();
    }
  }

  private relayout(): void {
    this.layout = layoutStrip(this.sweep.strip.length, this.room > 0 ? this.room : 600);
    this.paintSoon();
  }

  private paintSoon(): void {
    cancelAnimationFrame(this.painting);
    this.painting = requestAnimationFrame(() => { this.paint(); });
  }

  private paint(): void {
    this.seen = this.look();
    const style = getComputedStyle(this.node);
    const ground: IGround = {
      dark: isDark(this.node),
      text: style.color,
      accent: style.getPropertyValue('--gcs-accent') || '#1976d2'
    };
    const card = this.node.closest<HTMLElement>('.gcs-card');
    if (card !== null) {
      card.dataset.ground = ground.dark ? 'dark' : 'light';
    }
    paintStrip(this.canvas, this.layout, devicePixelRatio, ground, this.marks, cell => stateOf(this.sweep, cell));
  }

  private look(): string {
    return `${devicePixelRatio} ${String(isDark(this.node))} ${getComputedStyle(this.node).color}`;
  }
}

/** Whether the page behind `node` is dark, in whichever front end: the first background that is not transparent. */
export function isDark(node: Element): boolean {
  for (let at: Element | null = node; at !== null; at = at.parentElement) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
    const [red = 255, green = 255, blue = 255, opacity = 1] = parts;
    if (parts.length >= 3 && opacity > 0.5) {
      return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255 < DARK_LUMINANCE;
    }
  }
  return false;
}
