// A job in the words of its row.
import type { TranslationBundle } from '@jupyterlab/translation';

import { formatCount } from '../../card/figures';
import { stateLook } from '../../cockpit/state_word';
import { duration } from '../../face/clock';
import type { IPanelJob, IPanelTasks } from '../../protocol/panel_messages';

/** The word of a state; a catalogue of translations has those of job_states.json. */
export function stateWord(state: string, trans: TranslationBundle): string {
  return trans.__(stateLook(state).word);
}

/** "12 of 40 done, 2 failed, 8 running". */
export function taskWords(tasks: IPanelTasks, trans: TranslationBundle): string {
  const more: string[] = [];
  if (tasks.failed > 0) {
    more.push(trans.__('%1 failed', formatCount(tasks.failed)));
  }
  if (tasks.error > 0) {
    more.push(trans.__('%1 in error', formatCount(tasks.error)));
  }
  if (tasks.running > 0) {
    more.push(trans.__('%1 running', formatCount(tasks.running)));
  }
  if (tasks.held > 0) {
    more.push(trans.__('%1 held', formatCount(tasks.held)));
  }
  return [trans.__('%1 of %2 done', formatCount(tasks.done), formatCount(tasks.total)), ...more].join(', ');
}

/** Parts of a sweep's strip: [DRMAA2 state, how many], what is over first. */
export function taskParts(tasks: IPanelTasks): [string, number][] {
  const parts: [string, number][] = [
    ['DONE', tasks.done], ['FAILED', tasks.failed], ['ERROR', tasks.error], ['RUNNING', tasks.running],
    ['SUSPENDED', tasks.suspended], ['QUEUED_HELD', tasks.held], ['QUEUED', tasks.pending]
  ];
  return parts.filter(([, count]) => count > 0);
}

export function hasEnded(job: IPanelJob): boolean {
  return job.ended !== null || job.state === 'DONE' || job.state === 'FAILED';
}

/** What the job's clock counts from; null: not known. The tasks of a sweep start one after the other: all of it counts. */
export function since(job: IPanelJob): number | null {
  if (hasEnded(job)) {
    return job.ended;
  }
  return job.tasks === null ? job.started ?? job.submitted : job.submitted ?? job.started;
}

/** The clock of a row: "12 min", of what ended "5 min ago"; '' if nothing is known. */
export function timeWords(job: IPanelJob, now: number, trans: TranslationBundle): string {
  const from = since(job);
  if (from === null || now <= 0) {
    return '';
  }
  const text = duration(now - from);
  return hasEnded(job) ? trans.__('%1 ago', text) : text;
}

/** What the second line says beside the clock: why it waits, what it says of itself, how it ended. */
export function lineWords(job: IPanelJob, trans: TranslationBundle): string {
  if (hasEnded(job)) {
    return job.outcome === '' ? stateWord(job.state, trans) : job.outcome;
  }
  if (job.reason !== '' && job.started === null) {
    return job.reason;
  }
  const said = job.progress?.text ?? '';
  if (said !== '') {
    return said;
  }
  if (job.tasks !== null) {
    return taskWords(job.tasks, trans);
  }
  if (job.reason !== '') {
    return job.reason;
  }
  const word = stateWord(job.state, trans);
  return job.state === 'RUNNING' && job.queue !== '' ? trans.__('%1 in %2', word, job.queue) : word;
}

/** All of a row, for its tooltip. */
export function jobHelp(job: IPanelJob, trans: TranslationBundle): string {
  const lines = [`${job.name} (${job.job_id}): ${stateWord(job.state, trans)}${job.letters === '' ? '' : ` (${job.letters})`}`];
  if (job.tasks !== null) {
    lines.push(taskWords(job.tasks, trans));
  }
  lines.push(...[job.outcome, job.reason, job.progress?.text ?? ''].filter(text => text !== ''));
  if (job.queue !== '') {
    lines.push(trans.__('Queue: %1', job.queue));
  }
  if (job.slots !== null && job.slots > 1) {
    lines.push(trans.__('Slots: %1', formatCount(job.slots)));
  }
  if (job.notebook !== '') {
    lines.push(job.execution_count > 0 ? trans.__('From %1, cell [%2]', job.notebook, job.execution_count) : trans.__('From %1', job.notebook));
  }
  return lines.join('\n');
}

/** Whether a job is meant by what is written into the filter: all of its words, whatever the capitals. */
export function meant(job: IPanelJob, text: string, trans: TranslationBundle): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(word => word !== '');
  const where = [job.job_id, job.name, stateWord(job.state, trans), job.letters, job.queue, job.reason, job.outcome, job.notebook, job.kind]
    .join(' ').toLowerCase();
  return words.every(word => where.includes(word));
}
