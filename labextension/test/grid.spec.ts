import { afterEach, describe, expect, it, vi } from 'vitest';

import { Grid } from '../src/grid/grid';
import type { IGridOptions } from '../src/grid/grid_api';
import { COLUMNS, makeRow, TestHost, type ITestRow } from './grid_host';
import { press, sizedPage } from './grid_page';

let closers: (() => void)[] = [];

function show(rows: ITestRow[], different: Partial<IGridOptions> = {}) {
  const host = new TestHost(rows);
  const heard = { open: vi.fn(), selected: vi.fn(), copy: vi.fn(), narrow: vi.fn(), changed: vi.fn(), menu: vi.fn() };
  const grid = new Grid({
    view: 'jobs', label: 'jobs of the cluster demo', columns: COLUMNS, expandable: true, selectable: true, request: host.take, ...heard, ...different
  });
  closers.push(() => { grid.dispose(); });
  document.body.append(grid.node);
  vi.advanceTimersByTime(1);
  grid.receive(host.answer());
  const lines = () => [...grid.node.querySelectorAll<HTMLElement>('.gcs-row-line')];
  return {
    host, grid, heard, lines,
    table: grid.node.querySelector('[role=treegrid], [role=grid]'),
    scroller: grid.node.querySelector<HTMLElement>('.gcs-scroller'),
    texts: (column: string) => lines().map(line => line.querySelector(`[data-column=${column}]`)?.textContent ?? ''),
    cell: (place: number, column: string) => lines()[place]?.querySelector<HTMLElement>(`[data-column=${column}]`) ?? null,
    head: (column: string) => grid.node.querySelector<HTMLElement>(`.gcs-head-cell[data-column=${column}]`),
    button: (label: string) => [...grid.node.querySelectorAll<HTMLElement>('button, [role^=menuitem]')].find(node => node.textContent === label)
  };
}

const many = (count: number) => Array.from({ length: count }, (_, number) => makeRow(number + 1));
const focused = () => document.activeElement?.closest('.gcs-row-line')?.querySelector('[data-column=job_id]')?.textContent;

sizedPage(280);
afterEach(() => {
  closers.forEach(close => { close(); });
  closers = [];
});

describe('the window', () => {
  it('has the rows that are seen and a few more in the page, however many there are', () => {
    const { lines, table, host } = show(many(5000));
    expect(lines().length).toBeLessThan(20);
    expect(host.last.count).toBeLessThan(50);
    expect(table?.getAttribute('aria-rowcount')).toBe('5001');
    expect(lines()[0]?.getAttribute('aria-rowindex')).toBe('2');
  });

  it('asks for other rows when it is scrolled, once for many steps, and shows skeletons until they come', () => {
    const { grid, host, scroller, lines, texts } = show(many(5000));
    const before = host.requests.length;
    for (let step = 1; step <= 20; step += 1) {
      if (scroller !== null) {
        scroller.scrollTop = step * 1400;
        scroller.dispatchEvent(new Event('scroll'));
      }
    }
    expect(lines().every(line => line.classList.contains('gcs-skeleton'))).toBe(true);
    vi.advanceTimersByTime(70);
    expect(host.requests.length).toBe(before + 1);
    expect(host.last.first).toBe(1000 - 12);
    grid.receive(host.answer());
    expect(texts('job_id')).toContain('1001');
    expect(lines().some(line => line.classList.contains('gcs-skeleton'))).toBe(false);
  });

  it('asks for all anew, once, when it is told of rows that it does not know', () => {
    const { grid, host } = show(many(30));
    const before = host.requests.length;
    const torn = { ...host.answer(), keys: ['77'], rows: {} };
    grid.receive(torn);
    grid.receive(torn);
    expect(host.requests.slice(before).map(request => request.anew)).toEqual([true]);
  });

  it('leaves rows alone that another grid of the same channel asked for', () => {
    const { grid, host, texts } = show(many(30));
    grid.receive({ ...host.answer(), id: host.last.id + 2 ** 40, keys: [], matching: 0 });
    expect(texts('job_id')[0]).toBe('1');
  });
});

describe('a refresh', () => {
  it('writes what differs and nothing else', async () => {
    const { grid, host, cell } = show(many(30));
    const changed: Node[] = [];
    const watch = new MutationObserver(found => changed.push(...found.map(({ target }) => target)));
    watch.observe(grid.node.querySelector('.gcs-rows') as Node, { subtree: true, childList: true, characterData: true });
    grid.receive(host.change(rows => rows.map((row, place) => (place === 2 ? makeRow(3, { slots: 1234 }) : row))));
    await vi.advanceTimersByTimeAsync(1);
    watch.disconnect();
    expect(cell(2, 'slots')?.textContent).toBe('1,234');
    expect(cell(2, 'slots')?.classList.contains('gcs-changed')).toBe(true);
    expect(changed.every(node => cell(2, 'slots')?.contains(node))).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(grid.node.querySelectorAll('.gcs-changed').length).toBe(0);
  });

  it('keeps focus, selection and the place of what is seen when rows come above', () => {
    const { grid, host, scroller, cell, texts } = show(many(200));
    cell(4, 'name')?.click();
    if (scroller !== null) {
      scroller.scrollTop = 84;
      scroller.dispatchEvent(new Event('scroll'));
    }
    const node = document.activeElement;
    expect(focused()).toBe('5');
    const place = grid.range.top;
    grid.receive(host.change(rows => [makeRow(901), makeRow(902), ...rows]));
    expect(grid.range.top).toBe(place + 2 * 28);
    expect(document.activeElement).toBe(node);
    expect(focused()).toBe('5');
    expect(grid.selection()).toEqual([makeRow(5).key]);
    expect(texts('job_id')).toContain('5');
  });

  it('stays at the top when it is there', () => {
    const { grid, host, texts } = show(many(200));
    grid.receive(host.change(rows => [makeRow(901), ...rows]));
    expect(grid.range.top).toBe(0);
    expect(texts('job_id')[0]).toBe('901');
  });

  it('keeps the keyboard when the row that had it has gone', () => {
    const { grid, host, cell } = show(many(200));
    cell(4, 'name')?.click();
    grid.receive(host.change(rows => rows.filter(row => row.key !== makeRow(5).key)));
    expect(grid.node.contains(document.activeElement)).toBe(true);
    press(document.activeElement, 'ArrowDown');
    expect(focused()).toBe('7');
  });
});

describe('the keyboard', () => {
  it('has one cell in the order of Tab, and goes from cell to cell and to the header', () => {
    const { grid, table } = show(many(200));
    grid.focus();
    expect(grid.node.querySelectorAll('.gcs-grid-table [tabindex="0"]').length).toBe(1);
    press(document.activeElement, 'ArrowRight');
    press(document.activeElement, 'ArrowDown');
    expect(document.activeElement?.getAttribute('data-column')).toBe('name');
    expect(focused()).toBe('2');
    press(document.activeElement, 'ArrowUp');
    press(document.activeElement, 'ArrowUp');
    expect(document.activeElement?.getAttribute('role')).toBe('columnheader');
    expect(grid.node.querySelectorAll('.gcs-grid-table [tabindex="0"]').length).toBe(1);
    expect(table?.getAttribute('tabindex')).toBe('-1');
  });

  it('goes to the end of a long table, whose rows have not come yet', () => {
    const { grid, host } = show(many(5000));
    grid.focus();
    press(document.activeElement, 'End', { ctrlKey: true });
    vi.advanceTimersByTime(70);
    grid.receive(host.answer());
    expect(focused()).toBe('5000');
    press(document.activeElement, 'Home', { ctrlKey: true });
    vi.advanceTimersByTime(70);
    grid.receive(host.answer());
    expect(focused()).toBe('1');
  });

  it('selects with Shift and the arrows, all with Ctrl+A, and none with Escape', () => {
    const { grid, heard } = show(many(200));
    grid.focus();
    press(document.activeElement, 'ArrowDown', { shiftKey: true });
    press(document.activeElement, 'ArrowDown', { shiftKey: true });
    press(document.activeElement, 'ArrowUp', { shiftKey: true });
    expect(grid.selection()).toEqual([makeRow(1).key, makeRow(2).key]);
    press(document.activeElement, 'a', { ctrlKey: true });
    expect(grid.selectedAll()).toBe(true);
    expect(grid.node.textContent).toContain('all that match are selected');
    press(document.activeElement, 'c', { ctrlKey: true });
    expect(heard.copy).toHaveBeenLastCalledWith('text', 'matching', COLUMNS.filter(one => one.shown).map(one => one.name));
    press(document.activeElement, 'Escape');
    expect(grid.selection()).toEqual([]);
  });

  it('opens a row with Enter and closes it with Escape; no key that it heard goes on', () => {
    const { grid, heard } = show(many(20));
    grid.focus();
    const outside = vi.fn();
    document.body.addEventListener('keydown', outside);
    expect(press(document.activeElement, 'Enter').defaultPrevented).toBe(true);
    expect(heard.open.mock.lastCall?.[0]).toMatchObject({ key: makeRow(1).key, level: 1 });
    press(document.activeElement, 'Escape');
    expect(heard.open).toHaveBeenLastCalledWith(null);
    press(document.activeElement, 'x');
    expect(outside).not.toHaveBeenCalled();
    document.body.removeEventListener('keydown', outside);
  });

  it('narrows by a value with F2 and a press', () => {
    const { grid, heard } = show(many(20));
    grid.focus();
    press(document.activeElement, 'ArrowRight');
    press(document.activeElement, 'ArrowRight');
    press(document.activeElement, 'F2');
    expect(document.activeElement?.tagName).toBe('BUTTON');
    (document.activeElement as HTMLElement).click();
    expect(heard.narrow).toHaveBeenCalledWith('owner', 'alice');
  });

  it('opens the menu of the selected rows', () => {
    const { grid, heard } = show(many(20));
    grid.focus();
    press(document.activeElement, 'F10', { shiftKey: true });
    expect(heard.menu.mock.lastCall?.[2]).toEqual([makeRow(1).key]);
  });
});

describe('arrays', () => {
  const array = () => [makeRow(1), makeRow(2, { array: true, tasks: [2, 0, 7, 1, 0] }), makeRow(3)];

  it('are said to be expandable, with their counts in words', () => {
    const { lines, cell } = show(array());
    expect(lines()[1]?.getAttribute('aria-expanded')).toBe('false');
    expect(lines()[0]?.hasAttribute('aria-expanded')).toBe(false);
    expect(cell(1, 'tasks')?.textContent).toBe('10: 2 running, 7 pending, 1 held');
    expect(cell(1, 'tasks')?.querySelectorAll('.gcs-tasks-part').length).toBe(3);
  });

  it('open with Right, and Left goes from a task to its array and closes it', () => {
    const { grid, host, lines } = show(array());
    grid.focus();
    press(document.activeElement, 'ArrowDown');
    press(document.activeElement, 'ArrowRight');
    expect(host.last.expanded).toEqual([makeRow(2).key]);
    const task = { key: String((2n << 32n) + 1n), level: 2, cells: { ...makeRow(2).cells, array: null } };
    grid.receive(host.change(([one, two, three]) => [one, two, task, three] as ITestRow[]));
    expect(lines()[1]?.getAttribute('aria-expanded')).toBe('true');
    expect(lines()[2]?.getAttribute('aria-level')).toBe('2');
    press(document.activeElement, 'ArrowDown');
    press(document.activeElement, 'ArrowLeft');
    expect(document.activeElement?.closest('.gcs-row-line')).toBe(lines()[1]);
    press(document.activeElement, 'ArrowLeft');
    expect(host.last.expanded).toEqual([]);
  });
});

describe('columns', () => {
  it('sort by Enter and by a second key, and say so', () => {
    const { grid, host, head, heard } = show(many(20));
    head('name')?.click();
    expect(host.last.sort).toEqual([['name', 'ascending']]);
    expect(head('name')?.getAttribute('aria-sort')).toBe('ascending');
    head('slots')?.focus();
    press(document.activeElement, 'Enter', { shiftKey: true });
    expect(host.last.sort).toEqual([['name', 'ascending'], ['slots', 'descending']]);
    expect(heard.changed).toHaveBeenLastCalledWith(grid.layout());
    expect(document.activeElement).toBe(head('slots'));
  });

  it('are widened and moved by keys, and keep the keyboard', () => {
    const { grid, head } = show(many(20));
    head('owner')?.focus();
    press(document.activeElement, 'ArrowRight', { altKey: true });
    expect(grid.layout().columns[2]).toEqual({ name: 'owner', width: 116 });
    press(document.activeElement, 'ArrowLeft', { altKey: true, shiftKey: true });
    expect(grid.layout().columns.map(({ name }) => name).slice(0, 3)).toEqual(['job_id', 'owner', 'name']);
    expect(document.activeElement).toBe(head('owner'));
  });

  it('are chosen in a menu, which asks for those that are new', () => {
    const { grid, host, button, head } = show(many(20));
    button('Columns')?.click();
    button('Requests')?.click();
    expect(host.last.columns).toContain('requests');
    expect(head('requests')).not.toBeNull();
    button('Slots')?.click();
    expect(head('slots')).toBeNull();
    button('Reset columns, widths and sort')?.click();
    expect(grid.layout().columns.map(({ name }) => name)).toEqual(COLUMNS.filter(one => one.shown).map(one => one.name));
  });

  it('come back as they were laid out; what is not known is left out', () => {
    const layout = { columns: [{ name: 'owner', width: 77 }, { name: 'gone', width: 5 }, { name: 'name', width: 300 }], sort: [['owner', 'ascending'], ['gone', 'descending']] as [string, 'ascending' | 'descending'][] };
    const { grid, host } = show(many(20), { layout });
    expect(grid.layout()).toEqual({ columns: [{ name: 'owner', width: 77 }, { name: 'name', width: 300 }], sort: [['owner', 'ascending']] });
    expect(host.last.sort).toEqual([['owner', 'ascending']]);
  });
});

describe('cells', () => {
  it('show hostile text as text', () => {
    const { cell, grid } = show([makeRow(1, { name: '<img src=x onerror=alert(1)>', owner: '"><script>' })]);
    expect(cell(0, 'name')?.textContent).toBe('<img src=x onerror=alert(1)>');
    expect(grid.node.querySelector('img, script')).toBeNull();
  });

  it('say a state by glyph, word and letters; an error whatever the state is called', () => {
    const { cell } = show([makeRow(1), makeRow(2, { letters: 'Eqw', state: 'QUEUED' }), makeRow(3, { letters: 'qw', state: 'QUEUED' })]);
    expect(cell(0, 'letters')?.textContent).toBe('runningr');
    expect(cell(1, 'letters')?.textContent).toBe('errorEqw');
    expect(cell(2, 'letters')?.querySelector('svg')).not.toBeNull();
  });
});

describe('nothing to show', () => {
  it('says whether there is nothing, or the filter leaves nothing, and offers a way out', () => {
    const clearFilter = vi.fn();
    const { grid, host, button } = show([], { filter: () => 'owner:bob', clearFilter });
    const note = grid.node.querySelector<HTMLElement>('.gcs-nothing');
    expect(note?.textContent).toContain('No jobs: nothing waits');
    grid.receive({ ...host.answer(), total: 7 });
    expect(note?.textContent).toContain('No job matches the filter.');
    expect(note?.textContent).toContain('owner:bob');
    button('Clear the filter')?.click();
    expect(clearFilter).toHaveBeenCalledOnce();
  });
});
