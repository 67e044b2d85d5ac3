import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { partsOf, plainText } from '../src/lab/views/log_colours';
import { begun, extended, stepped } from '../src/lab/views/log_found';
import { LogLines, PAGE_LINES } from '../src/lab/views/log_lines';
import { type ILogLook, LINE_PIXELS, LogList } from '../src/lab/views/log_list';
import type { ILogLines } from '../src/protocol/rest';

/** A log of numbered lines, and what was asked of it. */
class FakeLog {
  readonly asked: [number, number][] = [];
  total = 10_000_000;
  live = true;
  most = Number.MAX_SAFE_INTEGER;

  readonly ask = (first: number, count: number): Promise<ILogLines> => {
    this.asked.push([first, count]);
    const from = first < 0 ? Math.max(0, this.total + first) : Math.min(first, this.total);
    const lines = Array.from({ length: Math.min(count, this.total - from, this.most) }, (_, place) => `line ${from + place}`);
    return Promise.resolve({ stream: 'output', task: null, first: from, lines, total: this.total, live: this.live, note: '' });
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}

describe('lines of a log', () => {
  it('begin with its end, and are asked for where they are seen', async () => {
    const log = new FakeLog();
    const lines = new LogLines(log.ask, () => undefined);
    await lines.look();
    expect(lines.total).toBe(10_000_000);
    expect(lines.line(9_999_999)).toBe('line 9999999');
    expect(log.asked[0]?.[0]).toBe(-PAGE_LINES);
    lines.want(5_000_010, 5_000_050);
    await settle();
    expect(lines.line(5_000_010)).toBe('line 5000010');
    expect(log.asked).toHaveLength(2);
    lines.want(5_000_020, 5_000_060);
    await settle();
    expect(log.asked).toHaveLength(2);
  });

  it('ask for what is missing alone, and for the latest place while somebody leaps about', async () => {
    const log = new FakeLog();
    const lines = new LogLines(log.ask, () => undefined);
    await lines.look();
    [1_000_000, 2_000_000, 3_000_000, 4_000_000].forEach(first => { lines.want(first, first + 50); });
    await settle();
    expect(log.asked.map(([first]) => first)).toEqual([-PAGE_LINES, 1_000_000, 4_000_000]);
    expect(lines.line(4_000_049)).toBe('line 4000049');
  });

  it('keep no more than some pages', async () => {
    const log = new FakeLog();
    const lines = new LogLines(log.ask, () => undefined);
    await lines.look();
    for (let first = 0; first < 150 * PAGE_LINES; first += PAGE_LINES) {
      lines.want(first, first + 10);
      await settle();
    }
    expect(lines.line(0)).toBeUndefined();
    expect(lines.line(149 * PAGE_LINES)).toBeDefined();
  });

  it('go on where the log was half written, and begin anew when it was', async () => {
    const log = new FakeLog();
    log.total = 10;
    const lines = new LogLines(log.ask, () => undefined);
    await lines.look();
    log.total = 12;
    await lines.look();
    expect(log.asked.at(-1)?.[0]).toBe(9);
    expect(lines.line(11)).toBe('line 11');
    log.total = 3;
    await lines.look();
    expect(lines.total).toBe(3);
    expect(lines.line(11)).toBeUndefined();
  });

  it('ask again for what an answer had no room for, and not for ever', async () => {
    const log = new FakeLog();
    log.most = 7;
    const lines = new LogLines(log.ask, () => undefined);
    await lines.look();
    lines.want(100, 130);
    await settle();
    expect(lines.line(129)).toBe('line 129');
    log.most = 0;
    const before = log.asked.length;
    lines.want(700, 730);
    await settle();
    expect(log.asked.length).toBe(before + 1);
  });

  it('say why there is none, and forget that when there is', async () => {
    const log = new FakeLog();
    let refused = true;
    const changed = vi.fn();
    const lines = new LogLines((first, count) => (refused ? Promise.reject(new Error('no such job')) : log.ask(first, count)), changed);
    await lines.look();
    expect(lines.trouble).toBe('no such job');
    expect(changed).toHaveBeenCalledTimes(1);
    refused = false;
    await lines.look();
    expect(lines.trouble).toBe('');
    lines.dispose();
  });
});

describe('colours', () => {
  it('are classes of the theme, and the text is the text', () => {
    const line = '\x1b[1;31merror\x1b[0m: \x1b[38;5;196mdeep\x1b[39m \x1b[48;2;1;2;3mground\x1b[m';
    expect(plainText(line)).toBe('error: deep ground');
    const parts = partsOf(line);
    expect(parts.map(part => part.text)).toEqual(['error', ': ', 'deep', ' ', 'ground']);
    expect(parts[0]?.look).toBe('ansi-red-fg ansi-bold');
    expect(parts[1]?.look).toBe('');
    expect(parts[2]?.colour).toBe('rgb(255 0 0)');
    expect(parts[4]?.ground).toBe('rgb(1 2 3)');
  });

  it('are kept where the searched text is marked, over their borders', () => {
    const parts = partsOf('a \x1b[31mRe\x1b[0md line red', 'red');
    expect(parts.map(part => [part.text, part.look, part.found])).toEqual([
      ['a ', '', false], ['Re', 'ansi-red-fg', true], ['d', '', true], [' line ', '', false], ['red', '', true]
    ]);
    expect(partsOf('red Red', 'Red').filter(part => part.found).map(part => part.text)).toEqual(['Red']);
    expect(partsOf('nothing', 'red')).toHaveLength(1);
  });
});

describe('what was found', () => {
  it('is gone through, and asked for further before it begins again', () => {
    const told = { matches: [{ line: 3, text: '' }, { line: 8, text: '' }], total: 2, more: true };
    const first = begun('x', told);
    expect(first.at).toBe(0);
    const second = stepped(first, 1);
    expect(second?.at).toBe(1);
    expect(second === null ? undefined : stepped(second, 1)).toBeNull();
    const all = extended(first, { matches: [{ line: 8, text: '' }, { line: 20, text: '' }], total: 3, more: false });
    expect(all.lines).toEqual([3, 8, 20]);
    expect(stepped({ ...all, at: 2 }, 1)?.at).toBe(0);
    expect(stepped(all, -1)?.at).toBe(2);
    expect(stepped(begun('x', { matches: [], total: 0, more: false }), 1)?.at).toBe(-1);
  });
});

describe('the list', () => {
  const lists: LogList[] = [];
  const seen = vi.fn();
  const atEnd = vi.fn();
  const choose = vi.fn();

  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => {
    lists.forEach(list => { list.dispose(); });
    lists.length = 0;
    vi.clearAllMocks();
    vi.useRealTimers();
    document.body.replaceChildren();
  });

  function make(): LogList {
    const list = new LogList('output of job 7', { seen, atEnd, choose });
    Object.defineProperty(list.node, 'clientHeight', { value: 20 * LINE_PIXELS });
    document.body.append(list.node);
    lists.push(list);
    return list;
  }

  const look: ILogLook = { total: 10_000_000, line: (line: number) => `line ${line}`, wrap: false, follow: false, search: '', current: -1, chosen: null };

  function show(list: LogList, different: Partial<ILogLook> = {}): void {
    list.show({ ...look, ...different });
    // As the first size that the page tells.
    (list as unknown as { onSize(): void }).onSize();
  }

  it('draws the lines that are seen alone, of ten million', () => {
    const list = make();
    show(list);
    const rows = list.node.querySelectorAll('.jp-gcs-lab-log-line');
    expect(rows.length).toBeLessThan(40);
    expect(rows[0]?.textContent).toBe('1line 0');
    list.reveal(5_000_000);
    expect(list.node.textContent).toContain('line 5000000');
    const [first, end] = seen.mock.calls.at(-1) as [number, number];
    expect(first).toBeLessThan(5_000_000);
    expect(end).toBeGreaterThan(5_000_000);
  });

  it('stands at the end while it follows', () => {
    const list = make();
    show(list, { follow: true });
    expect(list.node.textContent).toContain('line 9999999');
    show(list, { follow: true, total: 10_000_002 });
    expect(list.node.textContent).toContain('line 10000001');
  });

  it('chooses by numbers, marks what was found, and shows text as text', () => {
    const list = make();
    show(list, { total: 3, line: () => '<b>x</b> found', search: 'found', current: 1, chosen: [2, 2] });
    expect(list.node.querySelector('b')).toBeNull();
    expect(list.node.querySelectorAll('mark')).toHaveLength(3);
    expect(list.node.querySelector('.jp-mod-current .jp-gcs-lab-log-number')?.textContent).toBe('2');
    expect(list.node.querySelector('.jp-mod-chosen .jp-gcs-lab-log-number')?.textContent).toBe('3');
    list.node.querySelector('.jp-gcs-lab-log-number')?.dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: true }));
    expect(choose).toHaveBeenCalledWith(0, true);
  });
});
