// What a notification says of jobs that ended.
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEnded, IPanelJob } from '../../protocol/panel_messages';
import { hasFailed } from './ended_gather';

export interface INotice {
  text: string;
  type: 'success' | 'warning' | 'error';
  /** The one that it is about; null: it is about several. */
  job: IPanelJob | null;
}

export function noticeOf(ended: IEnded, trans: TranslationBundle): INotice {
  const [job] = ended.jobs;
  if (job !== undefined && ended.jobs.length + ended.more === 1) {
    const failed = hasFailed(job);
    const said = job.outcome !== '' ? job.outcome : failed ? trans.__('it failed') : trans.__('it is done');
    // A sweep of which some points failed is not lost: they can be run again.
    const type = !failed ? 'success' : job.tasks === null ? 'error' : 'warning';
    return { text: trans.__('%1 (%2): %3', job.name, job.job_id, said), type, job };
  }
  const names = ended.jobs.map(one => one.name).join(', ') + (ended.more > 0 ? ', …' : '');
  const counts = [
    ...(ended.done > 0 ? [trans.__('%1 done', ended.done)] : []),
    ...(ended.failed > 0 ? [trans.__('%1 failed', ended.failed)] : [])
  ].join(', ');
  const all = ended.jobs.length + ended.more;
  return { text: trans.__('%1 jobs ended: %2 (%3)', all, counts, names), type: ended.failed > 0 ? 'warning' : 'success', job: null };
}
