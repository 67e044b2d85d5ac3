// What a person may do with a job: the buttons of its row, its context menu and the command offer the same.
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPanelJob, PanelAction } from '../../protocol/panel_messages';
import { hasEnded } from './job_words';

/** What the cluster is asked for, and what only the page does. */
export type Deed = PanelAction | 'open' | 'go_to_cell' | 'attach';

export interface IDeed {
  deed: Deed;
  label: string;
  /** A drawing, 16 by 16, of lines. */
  path: string;
  danger: boolean;
}

const PATHS: Record<Deed, string> = {
  open: 'M7 3H3v10h10V9M9.5 2.5h4v4M13.5 2.5 8 8',
  go_to_cell: 'M8 2.5v3M8 10.5v3M2.5 8h3M10.5 8h3M8 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7Z',
  attach: 'M6.5 4.5 8.2 2.8a3 3 0 0 1 4.3 4.3l-2 2a3 3 0 0 1-4.3 0M9.5 11.5 7.8 13.2a3 3 0 0 1-4.3-4.3l2-2a3 3 0 0 1 4.3 0',
  rerun_failed: 'M13 8a5 5 0 1 1-1.5-3.5L13 6M13 2.5V6H9.5',
  clear_error: 'M2.5 8.5 6 12l7.5-8',
  release: 'M5.5 3.5v9l7-4.5Z',
  hold: 'M5.5 3.5v9M10.5 3.5v9',
  resume: 'M5.5 3.5v9l7-4.5Z',
  suspend: 'M6.3 6v4M9.7 6v4M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z',
  cancel: 'M4 4l8 8M12 4l-8 8'
};

/** In the order in which they stand in menus. */
export const ALL_DEEDS: readonly Deed[] = [
  'open', 'go_to_cell', 'attach', 'rerun_failed', 'clear_error', 'hold', 'release', 'suspend', 'resume', 'cancel'
];

/** As commands are called in JupyterLab. */
export function deedLabel(deed: Deed, trans: TranslationBundle): string {
  switch (deed) {
    case 'open': return trans.__('Open Job');
    case 'go_to_cell': return trans.__('Go to Cell');
    case 'attach': return trans.__('Attach in Notebook');
    case 'rerun_failed': return trans.__('Rerun Failed');
    case 'clear_error': return trans.__('Clear Error');
    case 'hold': return trans.__('Hold');
    case 'release': return trans.__('Release');
    case 'suspend': return trans.__('Suspend');
    case 'resume': return trans.__('Resume');
    case 'cancel': return trans.__('Cancel Job');
  }
}

export function allows(job: IPanelJob, deed: Deed): boolean {
  switch (deed) {
    case 'open':
    case 'attach':
      return true;
    case 'go_to_cell':
      return job.notebook !== '' && job.cell !== '';
    default:
      return job.actions.includes(deed);
  }
}

export function deedOf(deed: Deed, trans: TranslationBundle): IDeed {
  return { deed, label: deedLabel(deed, trans), path: PATHS[deed], danger: deed === 'cancel' };
}

export function isDeed(word: unknown): word is Deed {
  return ALL_DEEDS.some(deed => deed === word);
}

/** Whether what failed is the matter of the job's row: a sweep that goes on has other things to tell. */
export function offersRerun(job: IPanelJob): boolean {
  return hasEnded(job) && allows(job, 'rerun_failed');
}

/** Those with a button in the job's row: to open it the row itself is pressed, and the rest is in its menu. */
export function rowDeeds(job: IPanelJob, trans: TranslationBundle): IDeed[] {
  return ALL_DEEDS.filter(deed => deed !== 'open' && deed !== 'attach' && !(deed === 'rerun_failed' && hasEnded(job)) && allows(job, deed))
    .map(deed => deedOf(deed, trans));
}

/** What is asked before a job is cancelled; `undone`: how many of its tasks would end with it. */
export function cancelWords(job: IPanelJob, trans: TranslationBundle): { title: string; body: string; keep: string; go: string } {
  const keep = trans.__('Keep it');
  const { tasks } = job;
  if (tasks === null) {
    return {
      title: trans.__('Cancel job %1 (%2)?', job.job_id, job.name),
      body: trans.__('It ends now. What it computed so far is lost; what it wrote and its log stay.'),
      keep,
      go: trans.__('Cancel job')
    };
  }
  const undone = tasks.running + tasks.pending + tasks.held + tasks.suspended + tasks.error;
  return {
    title: trans._n('Cancel %1 task of %2 (%3)?', 'Cancel %1 tasks of %2 (%3)?', undone, job.job_id, job.name),
    body: trans.__(
      '%1 running and %2 waiting tasks end now. What the %3 tasks that are done computed stays.',
      tasks.running + tasks.suspended, undone - tasks.running - tasks.suspended, tasks.done
    ),
    keep,
    go: trans._n('Cancel %1 task', 'Cancel %1 tasks', undone)
  };
}
