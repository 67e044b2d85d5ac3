import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeManager, makePanel, makePanelJob, makeTasks, NOW } from './lab_panel_fake';
import { find, press, settle } from './show_cockpit';
import { begin, end, rowsOf, show, showJobs } from './show_lab_panel';

function mainOf(node: ParentNode, jobId: string): HTMLElement {
  return find(node, `[data-job-id="${jobId}"] .jp-gcs-lab-job-main`);
}

beforeEach(begin);
afterEach(end);

describe('a job', () => {
  it('is a row with state, name, id, what it does and how long', async () => {
    const { node } = await showJobs([makePanelJob({ progress: { fraction: 0.426, text: 'epoch 42' } })]);
    expect(mainOf(node, '17').textContent).toBe('running fit 17 42% epoch 42 12 min');
    expect(find(node, '.jp-gcs-lab-meter i').style.width).toBe('42.6%');
  });

  it('says why it waits, why it is in error, and how it ended', async () => {
    const { node } = await showJobs(
      [
        makePanelJob({ job_id: '1', state: 'QUEUED', started: null, submitted: NOW - 30, reason: 'no host has 512G' }),
        makePanelJob({ job_id: '2', state: 'ERROR', started: null, reason: 'no such folder' })
      ],
      [makePanelJob({ job_id: '3', state: 'FAILED', ended: NOW - 7300, outcome: 'ValueError: x is 0' })]
    );
    expect(mainOf(node, '1').textContent).toBe('queued fit 1 no host has 512G 30 s');
    expect(find(node, '[data-job-id="2"] .gcs-alarm-text').textContent).toBe('no such folder');
    expect(mainOf(node, '3').textContent).toBe('failed fit 3 ValueError: x is 0 2 h 1 min ago');
  });

  it('is text, whatever it is called', async () => {
    const { node } = await showJobs([makePanelJob({ name: '<img src=x>', reason: '<b>' })]);
    expect(node.querySelector('img')).toBeNull();
    expect(find(node, '.jp-gcs-lab-job-name').textContent).toBe('<img src=x>');
  });

  it('has buttons for what may be done to it now, and no others', async () => {
    const { node, did } = await showJobs([
      makePanelJob({ actions: ['cancel', 'suspend'] }), makePanelJob({ job_id: '18', notebook: '', actions: ['cancel', 'release'] })
    ]);
    const labels = (id: string) => [...node.querySelectorAll(`[data-job-id="${id}"] [data-deed]`)].map(button => button.getAttribute('aria-label'));
    expect(labels('17')).toEqual(['Go to Cell', 'Suspend', 'Cancel Job']);
    expect(labels('18')).toEqual(['Release', 'Cancel Job']);
    find(node, '[data-job-id="18"] [data-deed=release]').click();
    find(node, '[data-job-id="17"] [data-deed=go_to_cell]').click();
    mainOf(node, '17').click();
    expect(did).toEqual(['release 18', 'go_to_cell 17', 'open 17']);
  });

  it('is dragged once the mouse has moved with it', async () => {
    const { node, did } = await showJobs([makePanelJob()]);
    const mouse = (kind: string, clientX: number, on: EventTarget = document) =>
      on.dispatchEvent(new MouseEvent(kind, { bubbles: true, clientX, clientY: 0, button: 0 }));
    mouse('mousedown', 0, mainOf(node, '17'));
    mouse('mousemove', 3);
    expect(did).toEqual([]);
    mouse('mousemove', 9);
    mouse('mousemove', 20);
    expect(did).toEqual(['drag 17']);
    mouse('mousedown', 0, mainOf(node, '17'));
    mouse('mouseup', 0);
    mouse('mousemove', 20);
    expect(did).toEqual(['drag 17']);
  });
});

describe('a sweep', () => {
  it('is one row with a strip of its tasks', async () => {
    const { node } = await showJobs([makePanelJob({ kind: 'sweep', tasks: makeTasks() })]);
    expect(mainOf(node, '17').textContent).toContain('12 of 40 done, 2 failed, 8 running');
    const parts = [...node.querySelectorAll<HTMLElement>('.jp-gcs-lab-task-bar i')].map(part => [part.dataset.state, part.style.width]);
    expect(parts).toEqual([['DONE', '30.00%'], ['FAILED', '5.00%'], ['RUNNING', '20.00%'], ['QUEUED', '40.00%']]);
  });

  it('that goes on offers to run again what failed among its buttons, not as a line of its own', async () => {
    const { node } = await showJobs([makePanelJob({ tasks: makeTasks(), actions: ['cancel', 'rerun_failed'] })]);
    expect(find(node, '[data-deed=rerun_failed]').getAttribute('aria-label')).toBe('Rerun Failed');
    expect(node.querySelector('.jp-gcs-lab-rerun')).toBeNull();
  });

  it('that ended offers to run again what failed', async () => {
    const { node, did } = await showJobs([], [
      makePanelJob({ kind: 'sweep', state: 'FAILED', ended: NOW - 60, tasks: makeTasks({ failed: 3 }), outcome: '3 of 40 failed', actions: ['rerun_failed'] })
    ]);
    find(node, 'button', 'Rerun 3 failed').click();
    expect(did).toEqual(['rerun_failed 17']);
  });
});

describe('time', () => {
  it('goes on without a word from the server, and not while nobody looks', async () => {
    const { node } = await showJobs([makePanelJob({ started: NOW - 5 })]);
    const clock = find(node, '.jp-gcs-lab-job-clock');
    await settle(3000);
    expect(clock.textContent).toBe('8 s');
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    await settle(5000);
    expect(vi.getTimerCount()).toBe(0);
    expect(clock.textContent).toBe('8 s');
    Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    expect(clock.textContent).toBe('13 s');
  });

  it('and all else stand still while nobody looks; then the latest is shown', async () => {
    const manager = new FakeManager();
    manager.state.value = makePanel([makePanelJob()]);
    const { node } = await show(manager);
    const look = (state: string) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    };
    look('hidden');
    manager.state.value = makePanel([makePanelJob({ job_id: '18' })]);
    await settle();
    expect(rowsOf(node)).toEqual(['17']);
    look('visible');
    await settle();
    expect(rowsOf(node)).toEqual(['18']);
  });

  it('needs no timer where nothing has a duration', async () => {
    await showJobs([]);
    await settle(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the keyboard', () => {
  const jobs = () => ['1', '2', '3'].map(id => makePanelJob({ job_id: id }));

  it('reaches one row by Tab, and the others by arrow keys', async () => {
    const { node } = await showJobs(jobs(), [makePanelJob({ job_id: '4', state: 'DONE', ended: NOW, actions: [] })]);
    const reached = () => [...node.querySelectorAll<HTMLElement>('.jp-gcs-lab-job-main[tabindex="0"]')]
      .map(button => button.closest<HTMLElement>('li')?.dataset.jobId);
    expect(reached()).toEqual(['1']);
    mainOf(node, '1').focus();
    press(mainOf(node, '1'), 'ArrowDown');
    await settle();
    expect([reached(), document.activeElement]).toEqual([['2'], mainOf(node, '2')]);
    press(mainOf(node, '2'), 'End');
    await settle();
    expect([reached(), document.activeElement]).toEqual([['4'], mainOf(node, '4')]);
    press(mainOf(node, '4'), 'Home');
    press(mainOf(node, '1'), 'ArrowRight');
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Go to Cell');
    press(find(node, '[data-job-id="1"] [data-deed=go_to_cell]'), 'ArrowLeft');
    expect(document.activeElement).toBe(mainOf(node, '1'));
  });

  it('asks to cancel by Delete, if that can be', async () => {
    const { node, did } = await showJobs([makePanelJob(), makePanelJob({ job_id: '18', actions: [] })]);
    press(mainOf(node, '17'), 'Delete');
    press(mainOf(node, '18'), 'Delete');
    expect(did).toEqual(['cancel 17']);
  });

  it('stays with a job that ends, and goes to the next when one leaves', async () => {
    const manager = new FakeManager();
    manager.state.value = makePanel(jobs());
    const { node } = await show(manager);
    mainOf(node, '2').focus();
    await settle();
    manager.state.value = makePanel([makePanelJob({ job_id: '1' }), makePanelJob({ job_id: '3' })], [makePanelJob({ job_id: '2', state: 'DONE', ended: NOW })]);
    await settle();
    expect(document.activeElement).toBe(mainOf(node, '2'));
    manager.state.value = makePanel([makePanelJob({ job_id: '1' }), makePanelJob({ job_id: '3' })]);
    await settle();
    expect(document.activeElement).toBe(mainOf(node, '3'));
  });
});

describe('the focus that a command gives', () => {
  const running = [makePanelJob({ job_id: '1' })];
  const ended = [makePanelJob({ job_id: '1', state: 'DONE', ended: NOW })];

  it('stays with a job that ends, also when it was given before anything was drawn', async () => {
    const manager = new FakeManager();
    manager.state.value = makePanel(running);
    const { node } = await show(manager, view => { view.focus(); });
    expect(document.activeElement).toBe(mainOf(node, '1'));
    manager.state.value = makePanel([], ended);
    await settle();
    expect(document.activeElement).toBe(mainOf(node, '1'));
  });

  it('goes on to the first job once jobs are known', async () => {
    const manager = new FakeManager();
    const { node } = await show(manager, view => { view.focus(); });
    expect(document.activeElement?.className).toBe('jp-gcs-lab-chosen');
    manager.state.value = makePanel(running);
    await settle();
    expect(document.activeElement).toBe(mainOf(node, '1'));
  });

  it('is left where a person has put it meanwhile', async () => {
    const manager = new FakeManager();
    const { node } = await show(manager, view => { view.focus(); });
    const elsewhere = document.createElement('input');
    document.body.append(elsewhere);
    elsewhere.focus();
    manager.state.value = makePanel(running);
    await settle();
    expect(document.activeElement).toBe(elsewhere);
    // Who comes back to that button has not asked for the rows.
    find(node, '.jp-gcs-lab-chosen').focus();
    manager.state.value = makePanel(running, [makePanelJob({ job_id: '2', state: 'DONE', ended: NOW })]);
    await settle();
    expect(document.activeElement?.className).toBe('jp-gcs-lab-chosen');
  });
});

describe('sections', () => {
  it('fold, and remember it', async () => {
    const recent = [makePanelJob({ job_id: '9', state: 'DONE', ended: NOW })];
    const { node } = await showJobs([makePanelJob()], recent);
    find(node, 'h3 button', 'Recent').click();
    await settle();
    expect(rowsOf(node)).toEqual(['17']);
    const again = await showJobs([makePanelJob()], recent);
    expect(rowsOf(again.node)).toEqual(['17']);
    expect(find(again.node, 'h3 button', 'Recent').getAttribute('aria-expanded')).toBe('false');
  });

  it('have a field to find jobs from 15 on', async () => {
    const many = Array.from({ length: 15 }, (_, at) => makePanelJob({ job_id: String(at + 1), name: `job-${at + 1}` }));
    const few = await showJobs(many.slice(1));
    expect(few.node.querySelector('input')).toBeNull();
    const { node } = await showJobs(many);
    const field = find(node, 'input') as HTMLInputElement;
    field.value = 'JOB-12 running';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await settle();
    expect(rowsOf(node)).toEqual(['12']);
    press(field, 'Escape');
    await settle();
    expect(rowsOf(node)).toHaveLength(15);
  });

  it('tell how many more there are, and where', async () => {
    const { node, did } = await showJobs([makePanelJob()], [], { more: 1234 });
    expect(find(node, '.jp-gcs-lab-none').textContent).toContain('and 1,234 more');
    find(node, 'button', 'See all').click();
    expect(did).toEqual(['show queue']);
  });
});

describe('a screen reader', () => {
  it('is told the sum of my jobs, and not with every step of one', async () => {
    const { node } = await showJobs([makePanelJob(), makePanelJob({ job_id: '18', state: 'QUEUED', started: null })]);
    await settle(1000);
    expect(find(node, '[role=status]').textContent).toBe('My jobs: 1 running, 1 waiting');
  });

  it('finds no fault that axe-core knows', async () => {
    const { node } = await showJobs(
      [makePanelJob({ kind: 'sweep', tasks: makeTasks() }), makePanelJob({ job_id: '18', progress: { fraction: 0.4, text: '' } })],
      [makePanelJob({ job_id: '19', state: 'FAILED', ended: NOW, tasks: makeTasks(), actions: ['rerun_failed'] })], { stale_since: NOW - 9 }
    );
    find(node, '.jp-gcs-lab-chosen').click();
    await settle();
    vi.useRealTimers();
    // What needs a layout is checked in a real browser.
    const { violations } = await axe.run(node, { rules: { 'color-contrast': { enabled: false } } });
    expect(violations.flatMap(fault => fault.nodes.map(one => `${fault.id}: ${one.html}`))).toEqual([]);
  });
});
