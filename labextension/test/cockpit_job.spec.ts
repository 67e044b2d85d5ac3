import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { keyOf, makeOverview, makeWelcome } from './fake_cockpit_host';
import { begin, end, find, openJob, press, settle, show } from './show_cockpit';

beforeEach(begin);
afterEach(end);

describe('the drawer', () => {
  it('shows a job and closes by Escape', async () => {
    const { host, node } = show();
    await openJob(host, node, { reasons: ['one', 'two', 'three', 'four', 'five'] });
    const drawer = find(node, '.gcs-drawer');
    expect(document.activeElement?.textContent).toBe('fit');
    expect(drawer.textContent).toContain('9:00 of 10:00 (90%)');
    expect(drawer.textContent).toContain('and 1 more');
    expect(drawer.querySelector('b')?.textContent).toBeUndefined();
    expect(drawer.querySelector('.gcs-source')?.textContent).toBe('model = <b>train</b>()');
    press(drawer, 'Escape');
    await settle();
    expect(node.querySelector('.gcs-drawer')).toBeNull();
    expect(host.said('close_details')).toHaveLength(1);
  });

  it('follows the output while it is open, and only then', async () => {
    const { host, node } = show();
    await openJob(host, node);
    const first = host.last('log');
    expect(first).toMatchObject({ job_id: '17', task: null, stream: 'stdout', offset: 0 });
    host.tell({ kind: 'log', id: first.id, job_id: '17', task: null, stream: 'stdout', text: 'a <b>line</b>\n', offset: 14, whole: true, note: '' });
    await settle(2100);
    expect(host.said('log')).toHaveLength(2);
    expect(host.last('log').offset).toBe(14);
    host.tell({ kind: 'log', id: host.last('log').id, job_id: '17', task: null, stream: 'stdout', text: 'more\n', offset: 19, whole: false, note: '' });
    await settle();
    expect(node.querySelector('.gcs-log-text')?.textContent).toBe('a <b>line</b>\nmore\n');
    find(node, '.gcs-small-tabs [role=tab]', 'stderr').click();
    await settle();
    expect(host.last('log')).toMatchObject({ stream: 'stderr', offset: 0 });
    press(find(node, '.gcs-drawer'), 'Escape');
    const before = host.said('log').length;
    await settle(10_000);
    expect(host.said('log')).toHaveLength(before);
  });

  it('shows a task that is picked from the strip, and goes back', async () => {
    const { host, node } = show();
    await openJob(host, node, { array: true, strip: [['', 2, 1], ['ERROR', 1, 3], ['RUNNING', 4, 4]] });
    const strip = find(node, '[aria-label="tasks of fit"]');
    expect(strip.getAttribute('aria-valuetext')).toBe('task 1: ended');
    press(strip, 'ArrowRight');
    await settle();
    press(strip, 'ArrowRight');
    await settle();
    expect(strip.getAttribute('aria-valuetext')).toBe('task 3: error');
    press(strip, 'Enter');
    await settle();
    expect(host.last('details')).toMatchObject({ job_id: '17', task: 3 });
    find(node, 'button', 'the whole array').click();
    await settle();
    expect(host.last('details')).toMatchObject({ job_id: '17', task: null });
  });

  it('says why nothing is known', async () => {
    const { host, node } = show();
    await settle();
    host.tellRows('jobs', { [keyOf(17)]: { job_id: '17', name: 'fit', owner: 'alice', letters: 'r', state: 'RUNNING', tasks: [1, 0, 0, 0, 0] } });
    await settle(300);
    find(node, '[role=row] [role=gridcell]', 'fit').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
    await settle();
    host.tell({ kind: 'trouble', id: host.last('details').id, message: 'qstat does not answer' });
    await settle();
    expect(find(node, '.gcs-drawer [role=alert]').textContent).toBe('qstat does not answer');
    expect(node.querySelector('.gcs-notes')?.textContent).toBe('');
  });
});

describe('actions', () => {
  it('do nothing before they are confirmed, and list what failed', async () => {
    const { host, node } = show();
    await openJob(host, node);
    find(node, '.gcs-drawer button', 'Cancel').click();
    await settle();
    expect(host.last('plan')).toMatchObject({ action: 'cancel', targets: [{ job_id: '17', task: null }], fields: {} });
    const confirm = () => find(node, 'dialog button[type=submit]');
    confirm().click();
    await settle();
    expect(host.said('act')).toEqual([]);
    host.tell({ kind: 'plan', id: host.last('plan').id, action: 'cancel', question: 'Cancel 1 job of alice?', jobs: 1, tasks: 0, refused: [['18', 'it has ended']], error: '' });
    await settle();
    expect(find(node, 'dialog').textContent).toContain('Cancel 1 job of alice?');
    expect(find(node, 'dialog').textContent).toContain('18 it has ended');
    confirm().click();
    await settle();
    expect(host.last('act')).toMatchObject({ action: 'cancel', targets: [{ job_id: '17', task: null }] });
    host.tell({ kind: 'acted', id: host.last('act').id, action: 'cancel', done: 0, failures: [['17', 'denied: job "17" does not exist']], error: '' });
    await settle();
    expect(find(node, 'dialog').textContent).toContain('17 denied: job "17" does not exist');
    press(find(node, 'dialog'), 'Escape');
    await settle();
    expect(node.querySelector('dialog')).toBeNull();
  });

  it('that went well need no further press', async () => {
    const { host, node } = show();
    await openJob(host, node);
    find(node, '.gcs-drawer button', 'Cancel').click();
    await settle();
    host.tell({ kind: 'plan', id: host.last('plan').id, action: 'cancel', question: 'Cancel 1 job?', jobs: 1, tasks: 0, refused: [], error: '' });
    await settle();
    find(node, 'dialog button[type=submit]').click();
    await settle();
    host.tell({ kind: 'acted', id: host.last('act').id, action: 'cancel', done: 1, failures: [], error: '' });
    await settle();
    expect(node.querySelector('dialog')).toBeNull();
    expect(find(node, '.gcs-notes').textContent).toContain('Cancel: done for 1 job or task.');
  });

  it('with fields ask the host again for each change, and wait for its answer', async () => {
    const { host, node } = show();
    await openJob(host, node);
    find(node, '.gcs-drawer button', 'Priority').click();
    await settle();
    const field = find(node, 'dialog input') as HTMLInputElement;
    field.value = '-10';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await settle(400);
    expect(host.last('plan').fields).toEqual({ priority: '-10' });
    // The plan of the empty field comes late: it is not the plan of what stands there.
    host.tell({ kind: 'plan', id: host.said('plan')[0]?.id ?? 0, action: 'priority', question: 'old', jobs: 1, tasks: 0, refused: [], error: '' });
    await settle();
    find(node, 'dialog button[type=submit]').click();
    await settle();
    expect(host.said('act')).toEqual([]);
    host.tell({ kind: 'plan', id: host.last('plan').id, action: 'priority', question: 'new', jobs: 1, tasks: 0, refused: [], error: '' });
    await settle();
    find(node, 'dialog button[type=submit]').click();
    await settle();
    expect(host.last('act').fields).toEqual({ priority: '-10' });
  });

  it("are off for others' jobs, with the reason, unless the user is an operator", async () => {
    const others = show();
    await openJob(others.host, others.node, { owner: 'bob' });
    const cancel = find(others.node, '.gcs-drawer button', 'Cancel');
    expect(cancel.getAttribute('aria-disabled')).toBe('true');
    expect(others.node.querySelector('.gcs-drawer')?.textContent).toContain("of bob: only an operator may act on others' jobs");
    cancel.click();
    await settle();
    expect(others.host.said('plan')).toEqual([]);
    const operators = show(makeOverview(), makeWelcome({ operator: true }));
    await openJob(operators.host, operators.node, { owner: 'bob' });
    expect(find(operators.node, '.gcs-drawer button', 'Cancel').getAttribute('aria-disabled')).toBeNull();
  });
});

describe('replay', () => {
  it('shows the moment, turns actions off, and goes back to live', async () => {
    const { host, node } = show();
    await openJob(host, node);
    find(node, 'button', 'Replay').click();
    await settle();
    const slider = find(node, 'input[type=range]') as HTMLInputElement;
    slider.value = '0';
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await settle(200);
    const at = Date.now() / 1000 - 300;
    expect(host.last('replay').at).toBeCloseTo(at, -1);
    // The times are as they were told: they are left out.
    host.tell(makeOverview({ replay: { at, kept: '' } }));
    await settle();
    expect(find(node, '.gcs-band').textContent).toContain('5 min ago');
    expect(find(node, '.gcs-drawer button', 'Cancel').getAttribute('aria-disabled')).toBe('true');
    find(node, 'button', 'Back to live').click();
    expect(host.last('replay').at).toBeNull();
  });

  it('plays to the end, and is live then', async () => {
    const { host, node } = show();
    await settle();
    find(node, 'button', 'Replay').click();
    await settle();
    find(node, '[aria-label=Play]').click();
    await settle(5000);
    expect(host.said('replay').map(one => one.at === null)).toEqual([false, false, false, true]);
    expect(node.querySelector('[aria-label=Play]')).not.toBeNull();
  });
});
