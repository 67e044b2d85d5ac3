import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { makeHost, makeOverview, makeWelcome } from './fake_cockpit_host';
import { begin, end, find, openJob, press, settle, show } from './show_cockpit';

async function faults(node: HTMLElement): Promise<string[]> {
  vi.useRealTimers();
  // What needs a layout is checked in a real browser.
  const { violations } = await axe.run(node, { rules: { 'color-contrast': { enabled: false } } });
  return violations.filter(fault => fault.impact === 'serious' || fault.impact === 'critical')
    .flatMap(fault => fault.nodes.map(one => `${fault.id}: ${one.html}`));
}

beforeEach(begin);
afterEach(end);

describe('the strip', () => {
  it('shows slots, tasks, owners and queues', async () => {
    const { node } = show();
    await settle();
    expect(find(node, '[aria-label=slots]').textContent).toContain('60 of 100 used');
    expect(find(node, '[aria-label=slots]').textContent).toContain('9 hosts up, 1 down');
    expect(find(node, '[aria-label="tasks by state"]').textContent).toBe('Tasks50 running1,200 queued2 error');
    expect(find(node, '[aria-label=queues]').textContent).toContain('60/100');
    expect(find(node, '.gcs-fresh').textContent).toBe('live');
    await settle(60_000);
    expect(find(node, '.gcs-fresh').textContent).toBe('updated 1 min ago');
  });

  it('is text, whatever the cluster calls things', async () => {
    const { node } = show(makeOverview({ owners: [{ owner: '<img src=x>', slots: 1, waiting: 0 }] }));
    await settle();
    expect(node.querySelector('img')).toBeNull();
    expect(find(node, '[aria-label=owners]').textContent).toContain('<img src=x>');
  });

  it('says what to do when there is no job', async () => {
    const { node } = show(makeOverview({ jobs: 0, tasks: {}, owners: [] }));
    await settle();
    expect(find(node, '.gcs-empty').textContent).toContain('%%gcs submit');
  });
});

describe('narrowing', () => {
  it('by an owner and a state is said to the host as one filter, with chips to take away', async () => {
    const { host, node } = show();
    await settle();
    find(node, '.gcs-bar-row', 'alice').click();
    find(node, '.gcs-count-pill', 'queued').click();
    await settle();
    expect(host.last('filter')).toEqual({ kind: 'filter', text: 'owner:alice state:queued', mine: false });
    expect(find(node, '.gcs-bar-row', 'alice').getAttribute('aria-pressed')).toBe('true');
    find(node, '.gcs-chip', 'owner:alice').click();
    await settle();
    expect(host.last('filter').text).toBe('state:queued');
    find(node, '.gcs-count-pill', 'queued').click();
    await settle();
    expect(host.last('filter').text).toBe('');
    expect(node.querySelector('.gcs-chip')).toBeNull();
  });

  it('to my jobs keeps the filter', async () => {
    const { host, node } = show();
    await settle();
    find(node, '.gcs-bar-row', 'bob').click();
    find(node, '.gcs-choice label', 'My jobs').querySelector('input')?.click();
    await settle();
    expect(host.last('filter')).toEqual({ kind: 'filter', text: 'owner:bob', mine: true });
  });

  it('takes the filter over that the dashboard was opened with', async () => {
    const { node } = show(makeOverview({ filter: 'owner:bob' }));
    await settle();
    expect(find(node, '.gcs-chip').textContent).toBe('owner:bob');
    expect(node.querySelector<HTMLInputElement>('.gcs-filter-input')?.value).toBe('owner:bob');
  });

  it('is not undone by an overview that was made before it', async () => {
    const { host, node } = show();
    await settle();
    find(node, '.gcs-bar-row', 'bob').click();
    host.tell(makeOverview());
    await settle();
    expect(find(node, '.gcs-chip').textContent).toBe('owner:bob');
  });
});

describe('keys', () => {
  it.each(['x', 'ArrowUp', 'Enter', 'Escape'])('are kept from the notebook around: %s', async key => {
    const { node } = show();
    await settle();
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => { heard.push(event.key); };
    document.addEventListener('keydown', listen);
    find(node, '[role=tab]', 'Jobs').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    find(node, '[role=tab]', 'Jobs').dispatchEvent(new KeyboardEvent('keydown', { key: 's', ctrlKey: true, bubbles: true }));
    document.removeEventListener('keydown', listen);
    expect(heard).toEqual(['s']);
  });
});

describe('a host that begins anew', () => {
  it('is asked again for what is shown: another view of the same output said hello', async () => {
    const { host } = show();
    await settle();
    const before = host.said('view').length;
    host.tell({ kind: 'renewed', operator: true });
    await settle();
    expect(host.said('view').length).toBe(before);
    host.tell(makeWelcome());
    await settle();
    expect(host.said('view').slice(before).map(({ view, anew }) => [view, anew])).toEqual([['jobs', true]]);
  });
});

describe('tabs', () => {
  it('are walked by the arrow keys, and remembered', async () => {
    const { host, node, cockpit } = show();
    await settle();
    press(find(node, '[role=tab]', 'Jobs'), 'ArrowRight');
    await settle();
    expect(find(node, '[role=tab]', 'Queues').getAttribute('aria-selected')).toBe('true');
    expect(host.said('unview').map(one => one.view)).toEqual(['jobs']);
    expect(host.said('view').map(one => one.view)).toContain('queue_instances');
    cockpit.dispose();
    const again = show();
    await settle();
    expect(find(again.node, '[role=tab]', 'Queues').getAttribute('aria-selected')).toBe('true');
  });

  it('show the map only while it is open', async () => {
    const { host, node } = show();
    await settle();
    expect(host.said('map')).toEqual([]);
    find(node, '[role=tab]', 'Hosts').click();
    await settle();
    expect(host.said('map')).toEqual([{ kind: 'map', open: true }]);
    find(node, '[role=tab]', 'Jobs').click();
    await settle();
    expect(host.last('map').open).toBe(false);
  });
});

describe('the map', () => {
  it('is walked by keys, says each host, and narrows to it', async () => {
    const { host, node } = show();
    await settle();
    find(node, '[role=tab]', 'Hosts').click();
    await settle();
    host.tell({ kind: 'map', all: true, owners: ['alice', 'bob'], hosts: [makeHost('node2'), makeHost('node10', { state: 'd' }), makeHost('node1')] });
    await settle();
    const map = find(node, '[aria-label="map of the hosts"]');
    expect(map.getAttribute('aria-valuetext')).toContain('node1, 4 of 8 slots used');
    press(map, 'End');
    await settle();
    expect(map.getAttribute('aria-valuetext')).toContain('node10, 4 of 8 slots used, load 3.50 on 8 cores, closed (d)');
    press(map, 'Enter');
    await settle();
    expect(host.last('filter').text).toBe('host:node10');
    find(node, 'button', 'Jobs on node10').click();
    await settle();
    expect(find(node, '[role=tab]', 'Jobs').getAttribute('aria-selected')).toBe('true');
  });
});

describe('trouble', () => {
  it('of a cluster that does not answer says since when and why', async () => {
    const { node } = show(makeOverview({ stale_since: Date.now() / 1000 - 600, error: 'commlib error: got select error' }));
    await settle();
    expect(find(node, '.gcs-band').textContent).toMatch(/Stale since \d\d:\d\d: the cluster does not answer\. commlib error/);
  });

  it('of a kernel that is gone leaves all readable, and tells that nothing can be done', async () => {
    const { host, node } = show();
    await openJob(host, node);
    host.setLive(false);
    await settle();
    expect(find(node, '.gcs-band').textContent).toContain('The kernel is gone: this is what it last said');
    expect(find(node, '.gcs-drawer').textContent).toContain('fit');
    expect(find(node, '[aria-label=slots]').textContent).toContain('60 of 100');
    expect(find(node, '.gcs-drawer button', 'Cancel').getAttribute('aria-disabled')).toBe('true');
    const before = host.sent.length;
    await settle(10_000);
    expect(host.sent).toHaveLength(before);
    host.setLive(true);
    await settle();
    expect(host.said('hello')).toHaveLength(2);
    expect(node.querySelector('.gcs-band')).toBeNull();
  });

  it('that the host tells is shown once, and can be taken away', async () => {
    const { host, node } = show();
    host.tell({ kind: 'trouble', message: 'no recorder' }, { kind: 'trouble', message: 'no recorder' });
    await settle();
    expect(find(node, '.gcs-notes').textContent).toBe('no recorder');
    find(node, '.gcs-notes button').click();
    await settle();
    expect(find(node, '.gcs-notes').textContent).toBe('');
  });

  it('of another version is told', async () => {
    const { node } = show(makeOverview(), makeWelcome({ protocol: 2 }));
    await settle();
    expect(find(node, '.gcs-notes').textContent).toContain('different versions');
  });
});

describe('the cockpit as a whole', () => {
  it('tells the host when nobody sees it', async () => {
    const { host } = show();
    await settle();
    const hidden = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(host.last('visible').visible).toBe(false);
    hidden.mockRestore();
    document.dispatchEvent(new Event('visibilitychange'));
    expect(host.last('visible').visible).toBe(true);
  });

  it('leaves nothing behind', async () => {
    const { host, node, cockpit } = show();
    await openJob(host, node);
    cockpit.dispose();
    expect(host.sent.at(-1)).toEqual({ kind: 'visible', visible: false });
    expect(node.childElementCount).toBe(0);
    expect(host.listening()).toBe(0);
    const before = host.sent.length;
    await settle(10_000);
    expect(host.sent.slice(before)).toEqual([]);
  });

  it('goes to the filter by /', async () => {
    const { node } = show();
    await settle();
    press(find(node, '[role=tab]', 'Jobs'), '/');
    expect(document.activeElement?.getAttribute('role')).toBe('combobox');
  });

  it('has no serious fault for those who do not see or point', async () => {
    const { host, node } = show();
    await openJob(host, node, { array: true, strip: [['RUNNING', 4, 1]], reasons: ['no host has so much memory'] });
    find(node, 'button', 'Replay').click();
    host.tell({ kind: 'trouble', message: 'no recorder' });
    await settle();
    expect(await faults(node)).toEqual([]);
  });

  it('has none in its dialog, map and charts', async () => {
    const { host, node } = show();
    await openJob(host, node);
    find(node, '[role=tab]', 'Hosts').click();
    await settle();
    host.tell({ kind: 'map', all: true, owners: ['alice', 'bob'], hosts: [makeHost('node1')] });
    find(node, '.gcs-drawer button', 'Priority').click();
    await settle();
    expect(await faults(node)).toEqual([]);
  });
});
