import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import jobCard from '../src/job_card/index';
import type { IJob } from '../src/job_card/job';
import { FakeModel, buttonOf, visibleButtons } from './fake_model';
import { makeJob } from './make_job';

let closers: (() => void)[] = [];

function show(different: Partial<IJob> = {}) {
  const model = new FakeModel('job', makeJob(different));
  const widget = jobCard();
  const typed = model.typed();
  widget.initialize({ model: typed });
  const open = () => {
    const el = document.createElement('div');
    document.body.append(el);
    const close = widget.render({ model: typed, el });
    closers.push(close);
    return { el, close };
  };
  return { model, open, ...open() };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 5_000_000 });
});

afterEach(() => {
  closers.forEach(close => { close(); });
  closers = [];
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe('what the card shows', () => {
  it('puts a name with a script in it into the page as text', () => {
    const { el } = show({ name: '<script>alert(1)</script>', message: '<img src=x>', queue: '<b>q</b>' });
    expect(el.querySelector('script, img, b')).toBeNull();
    expect(el.textContent).toContain('<script>alert(1)</script>');
  });

  it("counts the seconds by the kernel's clock though the browser's is hours off", () => {
    const { el } = show({ started: 940, now: 1000 });
    expect(el.textContent).toContain('1:00');
    vi.advanceTimersByTime(5000);
    expect(el.textContent).toContain('1:05');
  });

  it.each([
    ['QUEUED', ['Logs', 'Hold', 'Cancel']],
    ['QUEUED_HELD', ['Logs', 'Release', 'Cancel']],
    ['REQUEUED', ['Logs', 'Hold', 'Cancel']],
    ['RUNNING', ['Logs', 'Cancel']],
    ['DONE', ['Logs']],
    ['FAILED', ['Logs']]
  ])('offers in state %s the buttons %j', (state, labels) => {
    expect(visibleButtons(show({ state }).el)).toEqual(labels);
  });

  it('offers no action before there is a job', () => {
    expect(visibleButtons(show({ state: 'UNDETERMINED', job_id: '' }).el)).toEqual(['Logs']);
  });

  it('has a progress bar with value and text for a screen reader', () => {
    const { el, model } = show({ progress: 0.3, progress_text: '120/400' });
    const bar = el.querySelector<HTMLElement>('[role=progressbar]');
    expect(bar?.getAttribute('aria-valuenow')).toBe('30');
    expect(bar?.getAttribute('aria-valuetext')).toBe('30%, 120/400');
    model.tell({ state: 'DONE' });
    expect(bar?.hidden).toBe(true);
  });

  it('speaks only when the state changes', () => {
    const { el, model } = show();
    const spoken = el.querySelector('[aria-live=polite]');
    model.tell({ rss: 5, progress: 0.5 });
    expect(spoken?.textContent).toBe('');
    model.tell({ state: 'DONE' });
    expect(spoken?.textContent).toBe('job fit 12: done');
  });

  it('shows why a job failed as an alert', () => {
    const { el } = show({ state: 'FAILED', message: 'killed: h_rt=60 s exceeded' });
    expect(el.querySelector('[role=alert]')?.textContent).toBe('killed: h_rt=60 s exceeded');
  });
});

describe('a press', () => {
  it('shows at once and is sent once', () => {
    const { el, model } = show();
    buttonOf(el, 'Cancel').click();
    buttonOf(el, 'Cancel').click();
    expect(model.sent).toEqual([{ kind: 'press', action: 'cancel' }]);
    expect(el.textContent).toContain('cancel requested…');
  });

  it('says after three seconds that a busy kernel has not heard it', () => {
    const { el, model } = show();
    buttonOf(el, 'Cancel').click();
    vi.advanceTimersByTime(3100);
    expect(el.textContent).toContain('the kernel is busy');
    model.answer({ action: 'cancel', phase: 'sent', error: '' });
    expect(el.textContent).not.toContain('the kernel is busy');
    expect(el.textContent).toContain('cancel requested…');
  });

  it('that failed shows the reason and can be tried again', () => {
    const { el, model } = show();
    buttonOf(el, 'Cancel').click();
    model.answer({ action: 'cancel', phase: 'failed', error: 'not yours' });
    expect(el.querySelector('[role=alert]')?.textContent).toBe('cancel failed: not yours');
    buttonOf(el, 'Cancel').click();
    expect(model.sent).toHaveLength(2);
    expect(el.querySelector('[role=alert]')?.textContent).toBe('');
  });

  it('leaves no note when the job has ended', () => {
    const { el, model } = show();
    buttonOf(el, 'Cancel').click();
    model.answer({ action: 'cancel', phase: 'accepted', error: '' });
    expect(el.textContent).toContain('cancel accepted');
    model.tell({ state: 'FAILED', ended: true });
    expect(el.textContent).not.toContain('cancel');
  });

  it('hands the focus on when its button goes', () => {
    const { el, model } = show();
    buttonOf(el, 'Cancel').focus();
    model.tell({ state: 'DONE' });
    expect(document.activeElement?.textContent).toBe('Logs');
  });
});

describe('the log', () => {
  const text = 'one\n<b>two</b>\n';

  it('is asked for when opened, and again two seconds after each answer', () => {
    const { el, model } = show();
    buttonOf(el, 'Logs').click();
    expect(model.sent).toEqual([{ kind: 'log', stream: 'stdout', have: '' }]);
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(1);
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v1', text });
    expect(el.querySelector('pre')?.textContent).toBe(text);
    vi.advanceTimersByTime(2100);
    expect(model.sent[1]).toEqual({ kind: 'log', stream: 'stdout', have: 'v1' });
  });

  it('keeps its text when the kernel says that it is the same', () => {
    const { el, model } = show();
    buttonOf(el, 'Logs').click();
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v1', text });
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v1' });
    expect(el.querySelector('pre')?.textContent).toBe(text);
  });

  it('is not asked for any more when closed', () => {
    const { el, model } = show();
    buttonOf(el, 'Logs').click();
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v1', text });
    buttonOf(el, 'Logs').click();
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(1);
  });

  it('is asked for a last time when the job ends', () => {
    const { el, model } = show();
    buttonOf(el, 'Logs').click();
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v1', text });
    model.tell({ state: 'DONE' });
    expect(model.sent).toHaveLength(2);
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v2', text });
    vi.advanceTimersByTime(10_000);
    expect(model.sent).toHaveLength(2);
  });

  it('of the other stream is fetched anew', () => {
    const { el, model } = show();
    buttonOf(el, 'Logs').click();
    buttonOf(el, 'stderr').click();
    model.emit('msg:custom', { kind: 'log', stream: 'stdout', version: 'v1', text });
    expect(el.querySelector('pre')?.textContent).toBe('');
    model.emit('msg:custom', { kind: 'log', stream: 'stderr', version: 'v2', text: '' });
    expect(el.textContent).toContain('nothing on stderr');
  });
});

describe('why it waits', () => {
  const waiting = ['waits for <b>12</b>', 'two', 'three', 'four', 'five'];

  it('is said in up to three sentences, as text; the rest folds out', () => {
    const { el } = show({ state: 'QUEUED', waiting });
    const said = () => [...el.querySelectorAll('.gcs-reasons li')].map(item => item.textContent);
    expect(said()).toEqual(waiting.slice(0, 3));
    buttonOf(el, 'and 2 more').click();
    expect(said()).toEqual(waiting);
    expect(buttonOf(el, 'show fewer').getAttribute('aria-expanded')).toBe('true');
  });

  it('stays folded out when another reason comes, and goes when there is none', () => {
    const { el, model } = show({ state: 'QUEUED', waiting });
    buttonOf(el, 'and 2 more').click();
    model.tell({ waiting: [...waiting, 'six'] });
    expect(el.querySelectorAll('.gcs-reasons li')).toHaveLength(6);
    model.tell({ state: 'RUNNING', waiting: [] });
    expect(el.querySelector<HTMLElement>('.gcs-reasons')?.hidden).toBe(true);
  });

  it('has no fold for three', () => {
    const { el } = show({ state: 'QUEUED', waiting: waiting.slice(0, 3) });
    expect(el.querySelector<HTMLElement>('.gcs-reasons .gcs-link')?.hidden).toBe(true);
    expect(el.querySelector('.gcs-reasons .gcs-link')?.textContent).toBe('');
  });
});

describe('what it used', () => {
  const ended = { state: 'DONE', ended: true, usage: ['used 1 GiB of 4 GiB'], advice: '-l h_vmem=2G' };
  const copyOf = (el: HTMLElement) => buttonOf(el, 'Copy');

  it('is said at the end only', () => {
    const { el, model } = show({ ...ended, state: 'RUNNING', ended: false });
    expect(el.querySelector<HTMLElement>('.gcs-usage')?.hidden).toBe(true);
    model.tell(ended);
    expect(el.querySelector('.gcs-usage')?.textContent).toContain('used 1 GiB of 4 GiB');
    expect(el.querySelector('.gcs-flags')?.textContent).toBe('-l h_vmem=2G');
  });

  it('has its flags copied by the button', async () => {
    const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    const { el } = show(ended);
    copyOf(el).click();
    await vi.waitFor(() => { expect(el.querySelector('.gcs-usage')?.textContent).toContain('copied'); });
    expect(write).toHaveBeenCalledWith('-l h_vmem=2G');
    write.mockRestore();
  });

  it('has its flags selected where the page may not copy', async () => {
    const write = vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('not allowed'));
    const { el } = show(ended);
    copyOf(el).click();
    await vi.waitFor(() => { expect(el.querySelector('.gcs-usage')?.textContent).toContain('Ctrl+C'); });
    expect(getSelection()?.toString()).toBe('-l h_vmem=2G');
    write.mockRestore();
  });
});

describe('views', () => {
  it('of one model all show the same press', () => {
    const { el, model, open } = show();
    const second = open();
    model.answer({ action: 'cancel', phase: 'sent', error: '' });
    expect(el.textContent).toContain('cancel requested…');
    expect(second.el.textContent).toContain('cancel requested…');
  });

  it('leave no listener and no timer behind', () => {
    const { close, model } = show();
    const before = model.listening();
    close();
    expect(model.listening()).toBe(before - 4);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a card whose kernel is gone', () => {
  it('says what it knew last and how to come back, and offers nothing that nobody hears', () => {
    const { el, model } = show({ state: 'RUNNING', started: 990 });
    model.emit('comm_live_update');
    expect(el.querySelector('.gcs-pill')?.textContent).toBe('unknown');
    expect(el.textContent).toContain('running when the kernel was last there');
    expect(el.textContent).toContain('%gcs attach 12');
    expect([...el.querySelectorAll<HTMLElement>('.gcs-buttons button')].every(node => node.hidden)).toBe(true);
  });

  it('leaves the end of a job as it is', () => {
    const { el, model } = show({ state: 'DONE', ended: true });
    model.emit('comm_live_update');
    expect(el.querySelector('.gcs-pill')?.textContent).toBe('done');
    expect(el.textContent).not.toContain('attach');
  });
});
