// Draws the value of a cell into its element. Text enters the page as text only.
import { formatCount } from '../card/figures';
import { element, icon } from '../card/dom';
import { lookOf } from '../card/state_look';
import type { IColumn } from '../protocol/messages';
import { cellText, isState, MISSING, NARROWING, stateOf, TASK_STATES, type CellValue } from './cell_text';
import type { IGridRow } from './grid_api';

/** What a cell shows; it is drawn again when this differs. */
export function markOf(column: IColumn, row: IGridRow, now: number): string {
  const text = cellText(column, row.cells[column.name], now);
  if (isState(column)) {
    const { name, letters } = stateOf(column, row);
    return `${name} ${letters}`;
  }
  return text;
}

/** Draw into `cell`; `text` is what {@link markOf} returned. */
export function drawCell(cell: HTMLElement, column: IColumn, row: IGridRow, text: string, link: boolean): void {
  const value = row.cells[column.name];
  if (isState(column)) {
    drawState(cell, column, row);
  } else if (column.type === 'tasks' && Array.isArray(value)) {
    drawTasks(cell, value);
  } else if (column.type === 'slots' && Array.isArray(value)) {
    drawSlots(cell, value, text);
  } else if (text !== MISSING && (link || NARROWING.has(column.name))) {
    drawButton(cell, link ? 'open' : 'narrow', text);
  } else {
    drawText(cell, text);
  }
}

function drawText(cell: HTMLElement, text: string): void {
  const only = cell.firstChild;
  if (only instanceof Text && only.nextSibling === null) {
    only.data = text;
  } else {
    cell.textContent = text;
  }
  if (cell.classList.contains('gcs-missing') !== (text === MISSING)) {
    cell.classList.toggle('gcs-missing');
  }
}

function drawButton(cell: HTMLElement, does: 'open' | 'narrow', text: string): void {
  const [only] = cell.children;
  if (only instanceof HTMLButtonElement && cell.childNodes.length === 1) {
    drawText(only, text);
  } else {
    const made = element('button', `gcs-quiet gcs-quiet-${does}`, { type: 'button', tabindex: '-1' }, text);
    made.dataset.does = does;
    cell.replaceChildren(made);
    cell.classList.remove('gcs-missing');
  }
}

function drawState(cell: HTMLElement, column: IColumn, row: IGridRow): void {
  const { name, letters } = stateOf(column, row);
  if (name === '') {
    // Queues and hosts: no letter is the good case.
    cell.replaceChildren(letters === '' ? element('span', 'gcs-open', {}, icon(lookOf('DONE').icon), 'open') : alarmed(letters));
    return;
  }
  const look = letters.includes('E') ? { ...lookOf('FAILED'), word: 'error' } : lookOf(name);
  let [pill] = cell.children;
  if (!(pill instanceof HTMLButtonElement)) {
    pill = element('button', 'gcs-pill gcs-quiet-narrow', { type: 'button', tabindex: '-1', 'data-does': 'narrow' });
    cell.replaceChildren(pill, element('span', 'gcs-letters'));
  }
  if (pill.getAttribute('data-look') !== `${name} ${look.word}`) {
    pill.setAttribute('data-look', `${name} ${look.word}`);
    pill.setAttribute('data-state', name);
    (pill as HTMLElement).style.setProperty('--gcs-state', look.colour);
    pill.replaceChildren(icon(look.icon), look.word);
  }
  (pill.nextElementSibling ?? pill).textContent = letters;
}

function alarmed(letters: string): HTMLElement {
  return element('span', 'gcs-closed', {}, icon('M8 4.5v4.5M8 11.6v.1M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z'), letters);
}

function drawTasks(cell: HTMLElement, counts: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 1) {
    drawText(cell, formatCount(total));
    return;
  }
  const number = element('span', 'gcs-tasks-total', {}, formatCount(total));
  const spoken = element('span', 'gcs-spoken', {}, `: ${cellText(TASKS, counts as number[], 0)}`);
  const strip = element('span', 'gcs-tasks', { 'aria-hidden': 'true' });
  TASK_STATES.forEach(([state], place) => {
    const count = counts[place] ?? 0;
    if (count > 0) {
      const look = lookOf(state);
      const part = element('span', 'gcs-tasks-part');
      part.style.flexGrow = String(count);
      part.style.setProperty('--gcs-on-light', look.on_light);
      part.style.setProperty('--gcs-on-dark', look.on_dark);
      part.dataset.state = state;
      strip.append(part);
    }
  });
  cell.replaceChildren(strip, number, spoken);
}

function drawSlots(cell: HTMLElement, [used = 0, total = 0]: readonly number[], text: string): void {
  const share = total > 0 ? Math.min(1, used / total) : 0;
  let [bar, said] = cell.children;
  if (!(bar?.classList.contains('gcs-slots') === true && said !== undefined)) {
    bar = element('span', 'gcs-slots', { 'aria-hidden': 'true' }, element('span', 'gcs-slots-used'));
    said = element('span', 'gcs-slots-text');
    cell.replaceChildren(bar, said);
  }
  (bar.firstElementChild as HTMLElement).style.width = `${(100 * share).toFixed(1)}%`;
  said.textContent = text;
}

const TASKS: IColumn = { name: 'tasks', label: '', type: 'tasks', width: 0, shown: true, sortable: false, help: '' };

/** The value that a press on a cell narrows by; '' if there is none. */
export function narrowValue(column: IColumn, row: IGridRow): string {
  const value: CellValue | undefined = row.cells[column.name];
  if (isState(column)) {
    const { name, letters } = stateOf(column, row);
    return letters.includes('E') ? 'error' : name;
  }
  return typeof value === 'string' ? value : '';
}
