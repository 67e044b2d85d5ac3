// What a view shows, as the layout keeps it: enough to open it again as it was.
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { TabName } from '../../cockpit/remembered';

export type ViewKind = 'queue' | 'accounting' | 'hosts' | 'job';
export type JobTab = 'facts' | 'log' | 'outputs' | 'tasks';

export interface IViewArgs {
  /** '': the current one, as soon as there is one. */
  cluster: string;
  /** Of queue and hosts. */
  tab?: TabName;
  filter?: string;
  mine?: boolean;
  /** Of a job. */
  job_id?: string;
  task?: number | null;
  job_tab?: JobTab;
}

const TABS: readonly string[] = ['jobs', 'queues', 'hosts', 'charts'] satisfies TabName[];
const JOB_TABS: readonly string[] = ['facts', 'log', 'outputs', 'tasks'] satisfies JobTab[];

/** What can be read of it: a layout of another version, or what another extension gave. */
export function argsOf(given: ReadonlyPartialJSONObject): IViewArgs {
  const { cluster, tab, filter, mine, job_id, task, job_tab } = given;
  return {
    cluster: typeof cluster === 'string' ? cluster : '',
    ...(typeof tab === 'string' && TABS.includes(tab) ? { tab: tab as TabName } : {}),
    ...(typeof filter === 'string' ? { filter } : {}),
    ...(typeof mine === 'boolean' ? { mine } : {}),
    ...(typeof job_id === 'string' || typeof job_id === 'number' ? { job_id: String(job_id) } : {}),
    ...(typeof task === 'number' && Number.isInteger(task) ? { task } : {}),
    ...(typeof job_tab === 'string' && JOB_TABS.includes(job_tab) ? { job_tab: job_tab as JobTab } : {})
  };
}

/** As the layout keeps it: JSON, without what is not known. */
export function jsonOf(args: IViewArgs): ReadonlyPartialJSONObject {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined && value !== null && value !== ''));
}

/** The one tab of its kind for this cluster; of a job, for this job. */
export function nameOf(kind: ViewKind, args: IViewArgs): string {
  return [kind, args.cluster, ...(kind === 'job' ? [args.job_id ?? ''] : [])].join(':');
}
