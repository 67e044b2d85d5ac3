import { nullTranslator } from '@jupyterlab/translation';
import { h, render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { makeBadge } from '../src/lab/notebook/badge_look';
import { FormModel, type IFormStart } from '../src/lab/notebook/form_model';
import { emptyForm } from '../src/lab/notebook/job_form';
import { RunForm } from '../src/lab/notebook/run_form';
import type { ISubmitRequest } from '../src/protocol/rest';
import { fakeManager, refusal } from './lab_notebook_fakes';

const trans = nullTranslator.load('gcs_lab');
const START: IFormStart = { kind: 'cell', paths: ['work/fit.ipynb'], cluster: '', form: null, parameters: [], notes: [] };
let models: FormModel[] = [];

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  models.forEach(model => { model.dispose(); });
  models = [];
  document.body.replaceChildren();
  vi.useRealTimers();
});

async function make(start: Partial<IFormStart> = {}, answers: Parameters<typeof fakeManager>[0] = {}) {
  const fake = fakeManager(answers);
  const model = new FormModel(fake.manager, { ...START, ...start }, trans);
  models.push(model);
  await vi.advanceTimersByTimeAsync(500);
  return { ...fake, model };
}

async function show(start: Partial<IFormStart> = {}, answers: Parameters<typeof fakeManager>[0] = {}) {
  const made = await make(start, answers);
  const node = document.createElement('div');
  document.body.append(node);
  await act(() => { render(h(RunForm, { model: made.model }), node); });
  const settle = async () => { await act(async () => { await vi.advanceTimersByTimeAsync(500); }); };
  const input = (field: string) => node.querySelector<HTMLInputElement>(`[id="jp-gcs-lab-form-${field}"]`);
  const type = async (field: string, text: string) => {
    const target = input(field);
    if (target === null) {
      throw new Error(`there is no field ${field}`);
    }
    target.value = text;
    target.dispatchEvent(new Event(target.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
    await settle();
  };
  return { ...made, node, settle, input, type };
}

describe('model of the form', () => {
  it('begins with the last values of the cluster, and plans them', async () => {
    const { model, to } = await make();
    expect(model.form.value).toMatchObject({ queue: 'all.q', slots: '4', requests: { h_rt: '0:10:00', h_vmem: '2G' } });
    expect(await model.settled()).toBe('%%gcs submit -l h_rt=0:10:00,h_vmem=2G');
    expect(to('catalogue')[0]?.options.query).toEqual({ notebook: 'work/fit.ipynb' });
  });

  it('takes the values of a line instead, by the full names of complexes', async () => {
    const { model } = await make({ form: { ...emptyForm(), name: 'a', requests: { g: '1' } } });
    expect(model.form.value).toMatchObject({ name: 'a', queue: '', requests: { gpu: '1' } });
  });

  it('asks once for many keys, and never for values that cannot be', async () => {
    const { model, to } = await make();
    const before = to('plan').length;
    for (const name of ['f', 'fi', 'fit']) {
      model.change({ name });
      await vi.advanceTimersByTimeAsync(20);
    }
    await vi.advanceTimersByTimeAsync(500);
    expect(to('plan').length).toBe(before + 1);
    model.request('h_rt', '1 hour');
    await vi.advanceTimersByTimeAsync(500);
    expect(to('plan').length).toBe(before + 1);
    expect(model.problems()['requests.h_rt']).toContain('h:mm:ss');
    expect(await model.settled()).toBeNull();
  });

  it('asks at once for values that were written just before they are sent', async () => {
    const { model } = await make();
    model.change({ name: 'late' });
    expect(await model.settled()).toContain('-N late');
  });

  it('waits for what the cluster has, if it is sent before that is known', async () => {
    const { manager } = fakeManager({});
    const model = new FormModel(manager, START, trans);
    models.push(model);
    expect(model.catalogue.value).toBeNull();
    expect(await model.settled()).toBe('%%gcs submit -l h_rt=0:10:00,h_vmem=2G');
  });

  it("puts the server's problems at their fields", async () => {
    const problems = [{ field: 'form.requests.gpu', message: 'no host has one' }, { field: 'queue', message: 'it is closed' }, { field: 'odd', message: 'else' }];
    const { model } = await make({ form: { ...emptyForm(), requests: { gpu: '9' } } }, { plan: () => ({ line: '', problems, warnings: [] }) });
    expect(model.problems()).toEqual({ 'requests.gpu': 'no host has one', queue: 'it is closed', '': 'else' });
    expect(await model.settled()).toBeNull();
  });

  it('sends each file once, also when it is tried again after a refusal', async () => {
    let refuse = true;
    const sent: string[] = [];
    const submit = (_: string, __: string, { body }: { body?: unknown }) => {
      const { path } = body as ISubmitRequest;
      if (path === 'b.sh' && refuse) {
        return refusal('the queue is closed')();
      }
      sent.push(path);
      return { job_id: `${sent.length}`, name: path, text: `${path} is a job` };
    };
    const { model } = await make({ kind: 'script', paths: ['a.sh', 'b.sh'] }, { submit });
    expect(await model.submit()).toBe(false);
    expect(model.trouble.value).toBe('the queue is closed');
    refuse = false;
    expect(await model.submit()).toBe(true);
    expect(sent).toEqual(['a.sh', 'b.sh']);
  });

  it('names a cluster in the line that the kernel would not take by itself', async () => {
    const { model } = await make({ cluster: 'embedded', form: { ...emptyForm(), more: '--cache' } });
    expect(await model.settled()).toBe('%%gcs submit --on embedded --cache');
    expect(model.plainForm().more).toBe('--cache');
  });

  it('says why there is no catalogue', async () => {
    const { model } = await make({}, { catalogue: refusal('qmaster does not answer') });
    expect(model.trouble.value).toBe('qmaster does not answer');
    expect(await model.settled()).toBeNull();
  });
});

describe('form', () => {
  it('shows the line while it is filled in, and labels every field', async () => {
    const { node, type } = await show();
    await type('name', 'fit');
    await type('requests.h_rt', '1:00:00');
    expect(node.querySelector('.jp-gcs-lab-preview code')?.textContent).toBe('%%gcs submit -N fit -l h_rt=1:00:00,h_vmem=2G');
    for (const input of node.querySelectorAll('input[type=text], select')) {
      expect(node.querySelector(`label[for="${input.id}"]`)?.textContent).not.toBe('');
    }
  });

  it('marks a value that cannot be, and says how it is written', async () => {
    const { input, type, node } = await show();
    await type('requests.h_vmem', '4 GB');
    expect(input('requests.h_vmem')?.getAttribute('aria-invalid')).toBe('true');
    const note = input('requests.h_vmem')?.getAttribute('aria-describedby') ?? '';
    expect(node.querySelector(`[id="${note}"]`)?.textContent).toContain('512M');
  });

  it('adds a request by its name, with a field of its type', async () => {
    const { input, type } = await show();
    expect(input('requests.exclusive')).toBeNull();
    await type('add', 'excl');
    input('add')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await act(async () => { await vi.advanceTimersByTimeAsync(50); });
    expect(input('requests.exclusive')?.tagName).toBe('SELECT');
    await type('add', 'nothing');
    expect(input('add')?.getAttribute('aria-invalid')).toBe('true');
  });

  it('takes the advice of the records', async () => {
    const advice = () => ({ text: 'Jobs called fit used 1.2 GB.', requests: [{ name: 'h_vmem', value: '1.5G', why: '12 jobs' }] });
    const { node, model, settle } = await show({}, { advice });
    [...node.querySelectorAll('button')].find(one => one.textContent === 'Use h_vmem=1.5G')?.click();
    await settle();
    expect(model.form.value.requests).toMatchObject({ h_vmem: '1.5G', h_rt: '0:10:00' });
    expect(node.textContent).not.toContain('Use h_vmem');
  });

  it('has parameters for notebooks only', async () => {
    const one = await show({ kind: 'notebook', paths: ['a.ipynb'], parameters: [{ name: 'alpha', value: '', given: '0.1' }] });
    expect(one.node.querySelector('[aria-label="Value of alpha"]')?.getAttribute('placeholder')).toBe('0.1');
    const other = await show({ kind: 'script', paths: ['a.sh'] });
    expect(other.node.querySelector('.jp-gcs-lab-parameters')).toBeNull();
    expect([one.input('over'), other.input('over')?.tagName]).toEqual([null, 'TEXTAREA']);
  });
});

describe('badge', () => {
  it('says the state by drawing, word and name, and opens the job that it shows', () => {
    const opened: string[] = [];
    const badge = makeBadge(job => { opened.push(job.job_id); });
    const job = { job_id: '7', cluster: 'demo', name: 'fit', kind: 'cell' as const, state: 'RUNNING', letters: 'r', text: 'for 2 min' };
    badge.show(job, trans);
    expect(badge.node.textContent).toBe('running');
    expect(badge.node.getAttribute('aria-label')).toBe('Job 7 (fit) on demo: running, for 2 min. Open it.');
    badge.show({ ...job, job_id: '8', state: 'FAILED', text: '' }, trans);
    badge.node.click();
    expect([badge.node.dataset.state, opened]).toEqual(['FAILED', ['8']]);
  });
});
