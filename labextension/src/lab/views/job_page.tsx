// A job in a tab: who and how it is, its facts, log, displays and tasks. It stays readable after the job has left the queue.
import { useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';

import { keepKey } from '../../card/dom';
import { ActionDialog } from '../../cockpit/action_dialog';
import { stateLook } from '../../cockpit/state_word';
import { Announcer } from '../../face/announcer';
import { Notes } from '../../face/notes';
import { watchDark, watchSeen } from '../../face/surroundings';
import { TabList } from '../../face/tab_list';
import type { IJobFacts } from '../../protocol/rest';
import { FactsTab } from './job_facts';
import { JobHead } from './job_head';
import { JobStore } from './job_store';
import { LogTab } from './log_tab';
import { OutputsTab } from './outputs_tab';
import { ProblemPage } from './problem_page';
import { TasksTab } from './tasks_tab';
import type { JobTab } from './view_args';
import type { IViewContext } from './view_context';

let mounted = 0;

export function JobPage({ view }: { view: IViewContext }) {
  const { trans } = view;
  const root = useRef<HTMLElement>(null);
  const id = useMemo(() => {
    mounted += 1;
    return `gcs-job-${mounted}`;
  }, []);
  const store = useMemo(() => {
    const { cluster, job_id = '', task = null } = view.args.peek();
    return new JobStore(view.manager, cluster, job_id, task);
  }, []);
  const asked = view.args.value.task ?? null;
  // At once, and not after the next frame: a page that is left has none.
  useLayoutEffect(() => () => { store.dispose(); }, []);
  useEffect(() => { store.show(asked); }, [asked]);
  useEffect(() => {
    const node = root.current;
    if (node === null) {
      return undefined;
    }
    const endings = [
      watchDark(node, dark => { store.cockpit.dark.value = dark; }), watchSeen(node, seen => { store.cockpit.setVisible(seen); })
    ];
    return () => { endings.forEach(end => { end(); }); };
  }, []);
  useTitle(store, view);

  const refused = store.channel.problem.value;
  const nobody = refused !== null && store.facts.value === null ? refused : store.unknown.value ? store.problem.value : null;
  const array = store.array.value;
  const kept = view.args.value.job_tab;
  // A job that waits has written nothing yet: why it waits is of more interest.
  const waits = ['QUEUED', 'QUEUED_HELD', 'REQUEUED', 'REQUEUED_HELD', 'ERROR', ''].includes(store.state.value);
  // Of a cell that raised an error the traceback is among its displays, and there is often no log at all.
  const raised = store.state.value === 'FAILED' && raisesError(store.facts.value);
  const usual: JobTab = array && store.task.value === null ? 'tasks' : waits ? 'facts' : raised ? 'outputs' : 'log';
  const tab = kept === undefined || (kept === 'tasks' && !array) ? usual : kept;
  const open = (task: number | null) => { view.keep({ task, job_tab: task === null ? 'tasks' : 'log' }); };
  const tabs: { name: JobTab; label: string }[] = [
    ...(array ? [{ name: 'tasks' as const, label: trans.__('Tasks') }] : []),
    { name: 'log', label: trans.__('Log') }, { name: 'outputs', label: raised ? trans.__('Displays and error') : trans.__('Displays') }, { name: 'facts', label: trans.__('Facts') }
  ];
  const asking = store.cockpit.asking.value;
  const panel = (name: JobTab, what: ComponentChildren) => (
    <div key={name} id={`${id}-panel-${name}`} class="jp-gcs-lab-job-panel" role="tabpanel" aria-labelledby={`${id}-tab-${name}`} hidden={tab !== name}>
      {what}
    </div>
  );
  const task = store.task.value;
  return (
    <section
      ref={root} class="gcs-face gcs-cockpit gcs-fills jp-gcs-lab-job-page" aria-labelledby={`${id}-name`}
      data-ground={store.cockpit.dark.value ? 'dark' : 'light'} onKeyDown={keepKey}
    >
      {nobody !== null && <ProblemPage view={view} problem={nobody} what={refused === null ? trans.__('Job %1', store.jobId) : store.cluster} onRetry={() => { store.refresh(); }} />}
      <div class="gcs-face-inner" hidden={nobody !== null}>
        <JobHead store={store} view={view} id={id} onWhole={() => { open(null); }} />
        {refused !== null && nobody === null && <div class="gcs-band">{trans.__('The cluster is not followed: %1', refused.message)}</div>}
        <TabList id={id} label={trans.__('views of the job')} tabs={tabs} chosen={tab} onChoose={name => { view.keep({ job_tab: name }); }} />
        {array && panel('tasks', <TasksTab store={store} trans={trans} shown={tab === 'tasks'} id={id} onOpen={open} />)}
        {panel('log', array && task === null
          ? <p class="gcs-empty gcs-dim">{trans.__('Each task has a log of its own: choose a task.')}</p>
          : <LogTab store={store} trans={trans} id={id} shown={tab === 'log'} />)}
        {panel('outputs', array && task === null
          ? <p class="gcs-empty gcs-dim">{trans.__('Each task has displays of its own: choose a task.')}</p>
          : <OutputsTab store={store} rendermime={view.rendermime} trans={trans} shown={tab === 'outputs'} />)}
        {panel('facts', <FactsTab store={store} trans={trans} />)}
        <Notes book={store.cockpit.book} />
      </div>
      {asking !== null && <ActionDialog key={asking.action.name} store={store.cockpit} asking={asking} id={id} />}
      <Announcer words={store.state.value === '' || nobody !== null ? '' : `${store.name.value}: ${trans.__(stateLook(store.state.value).word)}`} />
    </section>
  );
}

/** Whether a notebook's cell ended by an error of Python: "ValueError: …". */
export function raisesError(facts: IJobFacts | null): boolean {
  return facts !== null && (facts.kind === 'cell' || facts.kind === 'sweep') && /^[A-Za-z_]\w*(Error|Exception|Interrupt|Exit)\b/.test(facts.outcome);
}

/** The tab says how the job is: by a sign and by a word. In a tab that is not seen nothing is asked; the panel knows of mine. */
function useTitle(store: JobStore, view: IViewContext): void {
  const state = useComputed(() => {
    const { manager } = view;
    const mine = store.cockpit.visible.value || store.task.value !== null || manager.current.value !== store.cluster
      ? null : manager.panel.job(store.jobId);
    return mine?.state ?? store.state.value;
  }).value;
  const name = store.name.value;
  const { cluster, jobId } = store;
  useEffect(() => {
    if (state === '' || name === '') {
      return;
    }
    const look = stateLook(state);
    const { trans } = view;
    view.setTitle(`${look.glyph} ${name} ${jobId}`, trans.__('Job %1 "%2" on %3: %4', jobId, name, cluster, trans.__(look.word)));
  }, [state, name]);
}
