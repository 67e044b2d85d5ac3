import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeManager, makeCluster, makePanel, makePanelJob, NOW } from './lab_panel_fake';
import { find, settle } from './show_cockpit';
import { begin, end, rowsOf, show, showJobs } from './show_lab_panel';

beforeEach(begin);
afterEach(end);

describe('the cluster', () => {
  it('is said in one line, with its slots', async () => {
    const { node, did } = await showJobs([]);
    expect(find(node, '.jp-gcs-lab-chosen').textContent).toBe('Cluster sge Grid Engine 8.1.9');
    expect(find(node, '.jp-gcs-lab-health-line').textContent).toBe('works: 12 of 64 slots free');
    expect(find(node, '[role=img]').getAttribute('aria-label')).toBe('50 slots used, 12 free, 2 closed');
    find(node, 'button', 'Accounting').click();
    expect(did).toEqual(['show accounting']);
  });

  it('is chosen, started and stopped from a list', async () => {
    const manager = new FakeManager();
    manager.clusters.value = [
      makeCluster(), makeCluster({ name: 'demo', state: 'stopped', startable: true }), makeCluster({ name: 'other', startable: true })
    ];
    manager.state.value = makePanel();
    const { node } = await show(manager);
    const button = find(node, '.jp-gcs-lab-chosen');
    button.click();
    await settle();
    expect(manager.calls).toEqual(['refreshClusters']);
    find(node, '[data-cluster=demo] button', 'Start').click();
    await settle();
    button.click();
    await settle();
    find(node, '[data-cluster=other] button', 'Stop').click();
    await settle();
    button.click();
    await settle();
    find(node, '[data-cluster=other] button', 'Use').click();
    await settle();
    expect(manager.calls.filter(call => call !== 'refreshClusters')).toEqual(['start demo', 'refresh', 'POST clusters/other/stop', 'use other']);
    expect(button.getAttribute('aria-expanded')).toBe('false');
    expect(document.activeElement).toBe(button);
  });

  it('that was started from elsewhere is shown, whatever the list of before says; one that was stopped is not', async () => {
    const manager = new FakeManager();
    manager.clusters.value = [makeCluster({ state: 'stopped', startable: true })];
    const { node } = await show(manager);
    expect(find(node, 'h3').textContent).toBe('No cluster is running');
    manager.state.value = makePanel([makePanelJob()]);
    await settle();
    expect(rowsOf(node)).toEqual(['17']);
    manager.calls.length = 0;
    manager.clusters.value = [makeCluster({ state: 'stopped', startable: true })];
    await settle();
    expect(find(node, 'h3').textContent).toBe('No cluster is running');
    expect(manager.calls).toEqual(['refreshClusters']);
    manager.problem.value = { type: 'ClusterNotFound', message: 'no cluster is called sge' };
    await settle();
    expect(node.querySelector('[role=alert]')).toBeNull();
  });

  it('that is stopped is looked for while somebody sees it: it may be started from elsewhere', async () => {
    const manager = new FakeManager();
    manager.clusters.value = [makeCluster({ state: 'stopped', startable: true })];
    await show(manager);
    const asked = () => manager.calls.filter(call => call === 'refreshClusters').length;
    const before = asked();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(asked()).toBe(before + 2);
    manager.clusters.value = [makeCluster({ startable: true })];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toBe(before + 2);
  });

  it('that cannot be started says why, and can be tried again', async () => {
    const manager = new FakeManager();
    manager.clusters.value = [makeCluster({ name: 'embedded', backend: 'embedded', state: 'stopped', startable: true })];
    manager.current.value = 'embedded';
    const { node } = await show(manager);
    manager.refusal = new Error('the disk is full');
    find(node, 'button', 'Start embedded').click();
    await settle();
    expect(find(node, '[role=log]').textContent).toBe('the disk is full');
    manager.refusal = null;
    find(node, 'button', 'Start embedded').click();
    await settle();
    expect(manager.calls).toEqual(['start embedded', 'start embedded', 'refresh']);
  });
});

describe('what is wrong', () => {
  it('a lost connection leaves what was there, and says since when', async () => {
    const manager = new FakeManager();
    manager.state.value = makePanel([makePanelJob()]);
    const { node } = await show(manager);
    manager.connection.value = { status: 'lost', text: 'It is tried again.', about: null };
    await settle();
    const clock = new Date(NOW * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    expect(find(node, '[role=alert]').textContent).toContain(`No connection since ${clock}`);
    expect(rowsOf(node)).toEqual(['17']);
    manager.connection.value = { status: 'connected', text: '', about: null };
    await settle();
    expect(node.querySelector('[role=alert]')).toBeNull();
  });

  it('nothing is started over a lost connection', async () => {
    const manager = new FakeManager();
    manager.clusters.value = [makeCluster({ state: 'stopped', startable: true }), makeCluster({ name: 'other' })];
    manager.connection.value = { status: 'lost', text: 'It is tried again.', about: null };
    const { node } = await show(manager);
    expect(find(node, '.jp-gcs-lab-body h3').textContent).toBe('sge is stopped');
    const button = find(node, 'button', 'Start sge');
    button.click();
    expect([manager.calls, button.getAttribute('aria-description')]).toEqual([[], 'the Jupyter server does not answer']);
  });

  it('a master that died can be started again beside the last picture', async () => {
    const { node, manager } = await showJobs([makePanelJob()], [], { stale_since: NOW - 600 });
    manager.clusters.value = [makeCluster({ state: 'unreachable', startable: true, text: 'sge_qmaster of it is dead: start it again.' })];
    await settle();
    expect(find(node, '[role=alert]').textContent).toContain('sge_qmaster of it is dead');
    expect(rowsOf(node)).toEqual(['17']);
    find(node, 'button', 'Start sge again').click();
    await settle();
    expect(manager.calls).toEqual(['start sge', 'refresh']);
  });

  it('a qmaster that is down is said, and asked again by hand', async () => {
    const { node, manager } = await showJobs([makePanelJob()], [], { stale_since: NOW - 600 });
    expect(find(node, '[role=alert]').textContent).toContain('has not answered since');
    find(node, 'button', 'Ask now').click();
    expect(manager.calls).toEqual(['refresh']);
  });

  it('half-installed and of two versions are told with what to do', async () => {
    const manager = new FakeManager();
    manager.connection.value = { status: 'missing', text: 'The server has no gcs_lab.', about: null };
    const { node } = await show(manager);
    expect(find(node, '[role=alert]').textContent).toContain('The server has no gcs_lab.');
    expect(find(node, 'code').textContent).toBe('gcs-lab doctor');
    manager.connection.value = { status: 'old', text: 'This page is 0.1.0.', about: null };
    manager.state.value = makePanel([makePanelJob()]);
    await settle();
    expect(find(node, '[role=alert]').textContent).toContain('This page is 0.1.0.');
    expect(rowsOf(node)).toEqual(['17']);
  });

  it('a cluster that was refused says why; trouble beside a picture leaves it', async () => {
    const manager = new FakeManager();
    manager.problem.value = { type: 'DrmCommunication', message: 'commlib error' };
    const { node } = await show(manager);
    expect(find(node, '[role=alert]').textContent).toContain('commlib error');
    manager.state.value = makePanel([makePanelJob()]);
    await settle();
    expect(find(node, '[role=alert]').textContent).toContain('commlib error');
    expect(rowsOf(node)).toEqual(['17']);
  });

  it('a refused action stands at the foot until it is dismissed; what was done fades', async () => {
    const { node, view } = await showJobs([makePanelJob()]);
    view.note('Job 17 is not yours.', true);
    view.note('Job 17 was held.', false);
    await settle(15_000);
    expect(find(node, '[role=log]').textContent).toBe('Job 17 is not yours.');
    find(node, '[role=log] button').click();
    await settle();
    expect(find(node, '[role=log]').textContent).toBe('');
  });

  it('is said when there is no job, no cluster, and nothing to start', async () => {
    expect(find((await showJobs([])).node, '.jp-gcs-lab-panel-hint').textContent).toContain('%%gcs submit');
    const manager = new FakeManager();
    manager.clusters.value = [makeCluster({ state: 'stopped' })];
    expect(find((await show(manager)).node, '.jp-gcs-lab-panel-hint').textContent).toContain('SGE_ROOT');
  });
});
