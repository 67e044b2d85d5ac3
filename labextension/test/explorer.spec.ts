import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { mountExplorer } from '../src/explorer/explorer';
import type { Draw, IFigureEvents } from '../src/face/chart_library';
import type { IFace } from '../src/face/face_widget';
import {
  FakeExplorerHost, LAST, makeExplorerWelcome, makeFigure, makeFigures, makeIngest, makeState
} from './fake_explorer_host';
import { find, press, settle } from './show_cockpit';

const LIBRARY = '__gcs_lab_chart_2__';
let open: IFace[] = [];
/** In the place of the chart library, whose drawing needs a browser: what it was told, and its events. */
let drawn: { events: IFigureEvents; figures: unknown[] }[] = [];

function show(welcome = makeExplorerWelcome(), figures = makeFigures()) {
  const host = new FakeExplorerHost();
  const node = document.createElement('div');
  document.body.append(node);
  const explorer = mountExplorer(node, host);
  open.push(explorer);
  host.tell(welcome, figures);
  return { host, node, explorer };
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-21T12:00:00Z') });
  localStorage.clear();
  drawn = [];
  const draw: Draw = (_node, figure, events) => {
    const one = { events, figures: [figure as unknown] };
    drawn.push(one);
    return Promise.resolve({
      update: next => { one.figures.push(next); }, dispose: () => undefined,
      picture: (_figure, format, dark) => Promise.resolve(`data:${format},${dark ? 'dark' : 'light'}`)
    });
  };
  (globalThis as Record<string, unknown>)[LIBRARY] = Promise.resolve(draw);
});

afterEach(() => {
  open.forEach(one => { one.dispose(); });
  open = [];
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe('the explorer', () => {
  it('shows records, facts, findings in their order, tabs and figures', async () => {
    const { host, node } = show();
    await settle();
    expect(host.sent[0]).toEqual({ kind: 'hello', protocol: 1 });
    expect(find(node, '.gcs-face-head').textContent).toContain('Accounting of demo');
    expect(find(node, '.gcs-face-head').textContent).toContain('12,000 records · 3 lines not readable');
    expect([...node.querySelectorAll('.gcs-fact-row dt')].map(one => one.textContent)).toEqual(['Total', 'Failed']);
    expect(find(node, '.gcs-bad').textContent).toContain('▲ 31 %');
    expect([...node.querySelectorAll('.gcs-finding')].map(one => one.textContent)).toEqual(['alice waits', 'node017: 31 % of its jobs fail']);
    expect(find(node, 'figure').textContent).toContain('Slot hours by owner');
    expect(find(node, '.gcs-plot').getAttribute('aria-label')).toBe('Slot hours by owner. Each day. It shows alice, bob.');
    expect(drawn).toHaveLength(1);
  });

  it('is text, whatever things are called', async () => {
    const evil = '<img src=x>';
    const { node } = show(makeExplorerWelcome({ cluster: evil }), makeFigures({
      facts: [{ label: evil, value: evil, help: evil }], findings: [{ text: evil, term: 'owner:x', weight: 1, tab: 'usage' }], figures: [makeFigure({ title: evil, caption: evil })]
    }));
    await settle();
    expect(node.querySelector('img')).toBeNull();
  });

  it('says what happened to a kernel, and what to do', async () => {
    const { host, node } = show();
    await settle();
    host.setLive(false);
    await settle();
    expect(find(node, '.gcs-band').textContent).toContain('Run the cell again');
    expect(find(node, '.gcs-button', 'Code').getAttribute('aria-disabled')).toBe('true');
    // What was shown stays.
    expect(find(node, '.gcs-fact-row').textContent).toContain('3,200 h');
  });

  it('speaks of a protocol that is not its own', async () => {
    const { node } = show(makeExplorerWelcome({ protocol: 2 }));
    await settle();
    expect(find(node, '.gcs-notes').textContent).toContain('different versions');
  });

  it('leaves nothing behind', async () => {
    const { host, explorer } = show();
    await settle();
    explorer.dispose();
    open = [];
    expect(host.listening()).toBe(0);
    expect(host.last('visible')).toEqual({ kind: 'visible', visible: false });
  });
});

describe('narrowing', () => {
  it('by a finding adds all of its terms where they are seen best, and takes them away', async () => {
    const { host, node } = show();
    await settle();
    find(node, '.gcs-finding', 'node017').click();
    await settle();
    expect(host.last('state').state).toMatchObject({ filter: 'host:node017 failed>0', tab: 'failures' });
    expect([...node.querySelectorAll('.gcs-chip')].map(one => one.textContent)).toEqual(['host:node017', 'failed>0']);
    expect(find(node, '.gcs-finding', 'node017').getAttribute('aria-pressed')).toBe('true');
    find(node, '.gcs-finding', 'node017').click();
    await settle();
    expect(host.last('state').state.filter).toBe('');
  });

  it('by clicks on a figure: values of a column are alternatives, both places of a cell count', async () => {
    const { host } = show(undefined, makeFigures({
      figures: [makeFigure({ terms: { alice: 'owner:alice', bob: 'owner:bob', node3: 'host:node3' } })]
    }));
    await settle();
    drawn[0]?.events.click(['alice']);
    drawn[0]?.events.click(['bob', 'node3']);
    drawn[0]?.events.click(['2026-03-01']);
    await settle();
    expect(host.said('state')).toHaveLength(2);
    expect(host.last('state').state.filter).toBe('owner:alice,bob host:node3');
    expect(drawn[0]?.events.leads?.('node3')).toBe(true);
    expect(drawn[0]?.events.leads?.('0.5')).toBe(false);
  });

  it('by a brush over time, and steps back', async () => {
    const { host, node } = show();
    await settle();
    expect(find(node, '.gcs-button', 'Back').getAttribute('aria-disabled')).toBe('true');
    drawn[0]?.events.range?.('2026-03-01', '2026-03-02 06:30:00.5');
    await settle();
    const { since, until } = host.last('state').state;
    expect([since, until]).toEqual([new Date(2026, 2, 1).getTime() / 1000, Math.ceil(new Date(2026, 2, 2, 6, 30, 0, 500).getTime() / 1000)]);
    expect(find(node, '.gcs-chip').textContent).toContain('1 Mar 2026 – 2 Mar 2026 06:30');
    find(node, '.gcs-button', 'Back').click();
    await settle();
    expect(host.last('state').state).toMatchObject({ since: null, until: null });
  });

  it('by a lasso, which the chip takes away', async () => {
    const { host, node } = show(undefined, makeFigures({ figures: [makeFigure({ lasso: true, brush: false })] }));
    await settle();
    expect(drawn[0]?.events.range).toBeUndefined();
    drawn[0]?.events.lasso?.({ x: [1, 2, 2], y: [0, 0, 1] });
    await settle();
    expect(host.last('state').state.lasso).toEqual({ x: [1, 2, 2], y: [0, 0, 1] });
    expect(JSON.stringify(drawn[0]?.figures.at(-1))).toContain('M1,0L2,0L2,1Z');
    find(node, '.gcs-chip', 'drawn around').click();
    await settle();
    expect(host.last('state').state.lasso).toBeNull();
    expect(JSON.stringify(drawn[0]?.figures.at(-1))).toContain('"selections":[]');
  });

  it('asks the table of jobs anew, and resets all', async () => {
    const { host, node } = show();
    await settle();
    const before = host.said('view').length;
    find(node, '.gcs-finding', 'alice').click();
    await settle();
    expect(host.said('view').length).toBeGreaterThan(before);
    expect(host.last('view').view).toBe('records');
    find(node, '.gcs-button', 'Reset').click();
    await settle();
    expect(host.last('state').state).toMatchObject({ filter: '', since: null, until: null, lasso: null });
  });

  it('shows what is wrong with a filter where it is wrong', async () => {
    const { host, node } = show();
    await settle();
    find(node, '.gcs-finding', 'alice').click();
    await settle();
    host.answer({ filter_error: { message: 'there is no column owner', start: 0, end: 5 } });
    await settle();
    expect(find(node, '.gcs-filter-trouble').textContent).toBe('there is no column owner');
    expect(find(node, '.gcs-filter-wrong').textContent).toBe('owner');
  });
});

describe('findings', () => {
  it('stay until newer ones are told, also that there are none', async () => {
    const { host, node } = show();
    await settle();
    find(node, '[role=tab]', 'Waiting').click();
    host.answer({ findings: [] });
    await settle();
    expect(find(node, '.gcs-findings').textContent).toContain('alice waits');
    host.tell({ kind: 'findings', sequence: host.last('state').sequence, findings: [] });
    await settle();
    expect(find(node, '.gcs-findings').textContent).toContain('Nothing in what is shown.');
  });
});

describe('the period', () => {
  it('is counted back from the last record, and moved by its own length', async () => {
    const { host, node } = show();
    await settle();
    expect(find(node, '.gcs-period .gcs-on').textContent).toBe('All');
    find(node, '.gcs-period label', '7 days').querySelector('input')?.click();
    await settle();
    const { since, until } = host.last('state').state;
    expect(until).toBeNull();
    expect(Math.abs((since ?? 0) - (LAST - 7 * 86_400))).toBeLessThan(3600);
    expect(find(node, '.gcs-period .gcs-on').textContent).toBe('7 days');
    find(node, '[aria-label="The period before"]').click();
    await settle();
    expect(host.last('state').state.until).toBe(since);
    expect(node.querySelector('.gcs-period .gcs-on')).toBeNull();
  });

  it('that ends before it begins is not asked for', async () => {
    const { host, node } = show(makeExplorerWelcome({ state: makeState({ since: LAST - 86_400, until: LAST }) }));
    await settle();
    const input = node.querySelector<HTMLInputElement>('input[type=datetime-local]');
    input?.focus();
    if (input !== null) {
      input.value = '2030-01-01T00:00';
      press(input, 'Enter');
    }
    await settle();
    expect(host.said('state')).toEqual([]);
    expect(find(node, '.gcs-notes').textContent).toContain('end before it begins');
  });
});

describe('tabs', () => {
  it('are walked by the arrow keys, keep what they showed, and are remembered', async () => {
    const { host, node, explorer } = show();
    await settle();
    press(find(node, '[role=tab]', 'Usage'), 'ArrowRight');
    await settle();
    expect(host.last('state').state.tab).toBe('waits');
    expect(find(node, '[role=tabpanel]').getAttribute('aria-busy')).toBe('true');
    host.answer({ facts: [{ label: 'Median', value: '12 min', help: '' }] });
    await settle();
    expect(find(node, '.gcs-fact-row').textContent).toContain('12 min');
    find(node, '[role=tab]', 'Usage').click();
    await settle();
    // The old figures, until the new are there.
    expect(find(node, '.gcs-fact-row').textContent).toContain('3,200 h');
    expect(find(node, '[role=tabpanel]').getAttribute('aria-busy')).toBe('true');
    find(node, '[role=tab]', 'Waiting').click();
    await settle();
    explorer.dispose();
    const again = show();
    await settle();
    expect(again.host.last('state').state.tab).toBe('waits');
  });

  it('split and measure where that counts', async () => {
    const { host, node } = show();
    await settle();
    const by = find(node, '.gcs-splitting', 'split by').querySelector<HTMLSelectElement>('select[id$=by]');
    if (by !== null) {
      by.value = 'queue';
      by.dispatchEvent(new Event('change', { bubbles: true }));
    }
    await settle();
    expect(host.last('state').state.by).toBe('queue');
    find(node, '[role=tab]', 'Failures').click();
    await settle();
    expect(find(node, '.gcs-splitting').textContent).toBe('');
  });

  it('say what an empty view is narrowed by, with the ways out', async () => {
    const { host, node } = show(makeExplorerWelcome({ state: makeState({ filter: 'owner:nobody' }) }), makeFigures({ matching: 0, figures: [], facts: [], empty: 'No record matches.' }));
    await settle();
    find(node, '.gcs-empty .gcs-button', 'Clear the filter').click();
    await settle();
    expect(host.last('state').state.filter).toBe('');
  });
});

describe('reading', () => {
  it('shows how far it is, stops, and goes on', async () => {
    const { host, node } = show();
    await settle();
    host.tell(makeIngest());
    await settle();
    expect(find(node, '[role=progressbar]').getAttribute('aria-valuenow')).toBe('25');
    expect(find(node, '.gcs-ingest').textContent).toContain('25% of 4.0 GiB · 3,000,000 records · 2 not readable · 128 MiB/s · 24 s left');
    find(node, '.gcs-ingest .gcs-button', 'Stop').click();
    expect(host.said('cancel')).toHaveLength(1);
    host.tell(makeIngest({ state: 'cancelled', message: '' }));
    await settle();
    find(node, '.gcs-band .gcs-button', 'Go on').click();
    expect(host.said('refresh')).toHaveLength(1);
    host.tell(makeIngest({ state: 'failed', message: 'accounting: permission denied.' }));
    await settle();
    expect(find(node, '[role=alert]').textContent).toContain('permission denied');
    host.tell(makeIngest({ state: 'done' }));
    await settle();
    expect(node.querySelector('.gcs-ingest, .gcs-band')).toBeNull();
  });
});

describe('what is taken out', () => {
  it('is a file, a note on where it was written, or what went wrong', async () => {
    const { host, node } = show();
    await settle();
    const saved: string[] = [];
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) { saved.push(`${this.download} ${this.href.replace(/^blob:.*/, 'blob:')}`); });
    const choose = async (label: string) => {
      find(node, '.gcs-face-head .gcs-button', 'Export').click();
      find(document.body, '[role=menuitem]', label).click();
      await settle();
    };
    await choose('Records as CSV');
    host.tell({ kind: 'exported', id: host.last('export').id, name: 'jobs.csv', mime: 'text/csv', content: btoa('a,b'), path: '', note: '2 rows.' });
    await settle();
    expect(find(node, '.gcs-notes').textContent).toContain('Saved jobs.csv. 2 rows.');
    await choose('Records as Parquet');
    host.tell({ kind: 'exported', id: host.last('export').id, name: 'jobs.parquet', mime: '', content: '', path: '/home/ann/jobs.parquet', note: '' });
    await settle();
    expect(find(node, '.gcs-notes').textContent).toContain('Written to /home/ann/jobs.parquet');
    await choose('This view as');
    host.tell({ kind: 'trouble', id: host.last('export').id, message: 'no room' });
    await settle();
    expect(find(node, '.gcs-notes').textContent).toContain('no room');
    find(node, '.gcs-face-head .gcs-button', 'Export').click();
    find(document.body, '[role=menuitemcheckbox]', 'Pictures on dark').click();
    press(find(document.body, '[role=menu]'), 'Escape');
    await choose('All figures as PNG');
    expect(saved).toEqual(['jobs.csv blob:', 'demo-over_time.png data:png,dark']);
    click.mockRestore();
  });

  it('is the cell that makes the view', async () => {
    const { host, node } = show();
    await settle();
    find(node, '.gcs-button', 'Code').click();
    await settle();
    host.tell({ kind: 'code', id: host.last('code').id, text: 'accounting.summary(by="owner")' });
    await settle();
    expect(find(node, 'dialog').textContent).toContain('accounting.summary(by="owner")');
    press(find(node, 'dialog'), 'Escape');
    await settle();
    expect(node.querySelector('dialog')).toBeNull();
  });
});

describe('rates', () => {
  it('are taken when they are amounts, in their order', async () => {
    const { host, node } = show(makeExplorerWelcome({ state: makeState({ tab: 'cost' }) }), makeFigures({ tab: 'cost' }));
    await settle();
    find(node, '.gcs-rates .gcs-button', 'Add a rate').click();
    await settle();
    expect(host.last('state').state.rates.map(rate => rate.filter)).toEqual(['queue:', '']);
    const write = async (label: string, text: string) => {
      const input = find(node, `input[aria-label="${label}"]`) as HTMLInputElement;
      input.value = text;
      press(input, 'Enter');
      await settle();
    };
    await write('filter of rate 1', 'queue:gpu.q');
    await write('per slot hour, rate 1', '0,5');
    expect(host.last('state').state.rates[0]).toEqual({ filter: 'queue:gpu.q', per_slot_hour: 0.5, per_gib_hour: 0 });
    const before = host.said('state').length;
    await write('per slot hour, rate 1', 'much');
    expect(host.said('state')).toHaveLength(before);
    expect(find(node, '.gcs-rates [role=alert]').textContent).toContain('Rate 1 is no amount');
  });
});

describe('for those who do not see or point', () => {
  it.each(['usage', 'cost', 'jobs'] as const)('has no serious fault in the tab %s', async tab => {
    const { host, node } = show(makeExplorerWelcome({ state: makeState({ tab, filter: 'owner:alice' }) }), makeFigures({ tab }));
    host.tell(makeIngest());
    await settle();
    vi.useRealTimers();
    // What needs a layout is checked in a real browser.
    const { violations } = await axe.run(node, { rules: { 'color-contrast': { enabled: false } } });
    expect(violations.filter(fault => fault.impact === 'serious' || fault.impact === 'critical').flatMap(fault => fault.nodes.map(one => `${fault.id}: ${one.html}`))).toEqual([]);
  });

  it('offers what a click on a figure does as a menu, too', async () => {
    const { host, node } = show();
    await settle();
    find(node, 'figure .gcs-button', 'Narrow').click();
    find(document.body, '[role=menuitem]', 'bob').click();
    await settle();
    expect(host.last('state').state.filter).toBe('owner:bob');
  });
});
