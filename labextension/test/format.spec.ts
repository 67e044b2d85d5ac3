import { describe, expect, it } from 'vitest';

import { elapsed, staleNote } from '../src/card/card_state';
import { formatClock, formatMemory } from '../src/card/figures';
import { identity, outcome, reloadNote } from '../src/job_card/format';
// The same cases are held against the Python side in tests/widgets/test_card_html.py.
import lines from '../../tests/widgets/final_lines.json';
import { makeJob } from './make_job';

describe('the final line', () => {
  it.each(lines)('says what the static line says: $facts', ({ job, facts }) => {
    const whole = makeJob(job);
    expect([...identity(whole), ...outcome(whole)]).toEqual(facts);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [1024 ** 2 * 1023.9, '1.0 GiB'],
    [5 * 1024 ** 5, '5120 TiB']
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatMemory(bytes)).toBe(text);
  });

  it.each([
    [-3, '0:00'],
    [59.9, '0:59'],
    [754, '12:34'],
    [3723, '1:02:03']
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatClock(seconds)).toBe(text);
  });
});

describe('the time that runs', () => {
  it('counts from the start when the job has started', () => {
    expect(elapsed(makeJob({ submitted: 10, started: 100 }), 165)).toBe('1:05');
  });

  it('counts the wait from the submission before', () => {
    expect(elapsed(makeJob({ state: 'QUEUED', submitted: 10 }), 70)).toBe('waiting 1:00');
  });

  it('stands still when the job has ended', () => {
    expect(elapsed(makeJob({ state: 'DONE', started: 10 }), 70)).toBe('');
  });
});

describe('a page that was loaded again', () => {
  it('is told where the output goes, while the job runs', () => {
    expect(reloadNote(makeJob({ shown: 100 }), 200)).toContain('%gcs attach 12');
    expect(reloadNote(makeJob({ shown: 100 }), 50)).toBe('');
    expect(reloadNote(makeJob({ shown: 100, state: 'DONE' }), 200)).toBe('');
  });
});

describe('silence of the cluster', () => {
  it('is said only while it lasts', () => {
    expect(staleNote(makeJob({ stale_since: 5 }))).toContain('stale since');
    expect(staleNote(makeJob({ stale_since: 0 }))).toBe('');
  });
});
