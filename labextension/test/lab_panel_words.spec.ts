import { describe, expect, it } from 'vitest';

import { ALL_DEEDS, allows, cancelWords, deedOf } from '../src/lab/panel/deeds';
import { attachCode } from '../src/lab/panel/job_code';
import { jobHelp, lineWords, meant, taskParts, taskWords, timeWords } from '../src/lab/panel/job_words';
import { shortSystem } from '../src/lab/panel/system_word';
import { makePanelJob, makeTasks, NOW, trans } from './lab_panel_fake';

describe('what may be done to a job', () => {
  it('is what the host allows, and what the page can do by itself', () => {
    const allowed = (job: Parameters<typeof allows>[0]) => ALL_DEEDS.filter(deed => allows(job, deed));
    expect(allowed(makePanelJob({ actions: ['hold', 'cancel'] }))).toEqual(['open', 'go_to_cell', 'attach', 'hold', 'cancel']);
    expect(allowed(makePanelJob({ actions: [], cell: '' }))).toEqual(['open', 'attach']);
  });

  it('has a label and a drawing each, and one is dangerous', () => {
    const deeds = ALL_DEEDS.map(deed => deedOf(deed, trans));
    expect(new Set(deeds.map(({ label }) => label)).size).toBe(deeds.length);
    expect(deeds.filter(({ danger }) => danger).map(({ deed }) => deed)).toEqual(['cancel']);
  });

  it('is asked before it is cancelled, with the count of a sweep', () => {
    expect(cancelWords(makePanelJob(), trans)).toMatchObject({ title: 'Cancel job 17 (fit)?', go: 'Cancel job' });
    const words = cancelWords(makePanelJob({ tasks: makeTasks({ held: 2, suspended: 1 }) }), trans);
    expect(words).toMatchObject({ title: 'Cancel 27 tasks of 17 (fit)?', go: 'Cancel 27 tasks' });
    expect(words.body).toContain('9 running and 18 waiting tasks end now. What the 12 tasks that are done');
  });
});

describe('code that attaches', () => {
  it('to a job of a notebook is the magic', () => {
    expect(['cell', 'sweep', 'notebook'].map(kind => attachCode('sge', makePanelJob({ kind: kind as 'cell' })))).toEqual(Array(3).fill('%load_ext gcs_lab\n%gcs attach 17 --on sge'));
  });

  it('to another job is an object, whatever the cluster is called', () => {
    expect(attachCode('my "c"', makePanelJob({ kind: 'array' }))).toBe('import gcs_lab\n\njob = gcs_lab.connect("my \\"c\\"").jobs.job("17")\njob.info()');
  });
});

describe('words of a job', () => {
  it('prefer what is most useful', () => {
    expect(lineWords(makePanelJob({ progress: { fraction: null, text: 'loading' }, reason: 'x' }), trans)).toBe('loading');
    expect(lineWords(makePanelJob({ queue: '' }), trans)).toBe('running');
    expect(lineWords(makePanelJob({ tasks: makeTasks() }), trans)).toBe('12 of 40 done, 2 failed, 8 running');
    expect(lineWords(makePanelJob({ state: 'DONE', ended: NOW }), trans)).toBe('done');
  });

  it('count from what is known', () => {
    expect(timeWords(makePanelJob({ started: null, submitted: null }), NOW, trans)).toBe('');
    expect(timeWords(makePanelJob(), 0, trans)).toBe('');
    // A host whose clock is before its scheduler's.
    expect(timeWords(makePanelJob({ started: NOW + 5 }), NOW, trans)).toBe('0 s');
  });

  it('leave nothing out of a strip', () => {
    const tasks = makeTasks({ error: 1, held: 1, total: 40 });
    expect(taskParts(tasks).reduce((sum, [, count]) => sum + count, 0)).toBe(40);
    expect(taskWords(makeTasks({ done: 0, failed: 0, running: 0, total: 12_000 }), trans)).toBe('0 of 12,000 done');
  });

  it('are all in the tooltip, with the cell that it came from', () => {
    const help = jobHelp(makePanelJob({ letters: 'hqw', state: 'QUEUED_HELD', reason: 'waits for 16', slots: 4 }), trans);
    expect(help).toBe('fit (17): held (hqw)\nwaits for 16\nQueue: all.q\nSlots: 4\nFrom work/fit.ipynb, cell [3]');
  });

  it('are found by any of them', () => {
    const job = makePanelJob({ reason: 'no host has 512G' });
    expect(['17', 'FIT', '512g running', 'fit.ipynb', ''].map(text => meant(job, text, trans))).toEqual(Array(5).fill(true));
    expect(meant(job, 'fit held', trans)).toBe(false);
  });
});

describe('what runs a cluster', () => {
  it('is said in short, and not twice', () => {
    expect(shortSystem('the embedded cluster of gcs_lab 0.1.0.dev3+g12ab', 'embedded')).toBe('0.1.0.dev3');
    expect(shortSystem('the embedded cluster of gcs_lab 0.1.0', 'mine')).toBe('embedded 0.1.0');
    expect(shortSystem('embedded', 'embedded')).toBe('');
    expect(shortSystem('Grid Engine 8.1.9', 'demo')).toBe('Grid Engine 8.1.9');
  });
});
