// A job, or a sweep, as a row of two lines: pressed to open it, with buttons for what may be done to it now.
import { useMemo } from 'preact/hooks';

import { formatCount } from '../../card/figures';
import { StateMark } from '../../cockpit/state_mark';
import { stateLook } from '../../cockpit/state_word';
import { Icon } from '../../face/parts';
import type { IPanelJob, IPanelTasks } from '../../protocol/panel_messages';
import { allows, deedLabel, offersRerun, rowDeeds, type IDeed } from './deeds';
import { hasEnded, jobHelp, lineWords, stateWord, taskParts, taskWords, timeWords } from './job_words';
import type { IRow, PanelStore } from './store';

/** How far the mouse moves, pixels, before a press is a drag. */
const DRAG_DISTANCE = 5;

export function JobRow({ store, row }: { store: PanelStore; row: IRow }) {
  const { key, job } = row;
  const { platform } = store;
  const reached = store.reached.value === key;
  const open = () => { void platform.perform('open', job.job_id); };
  return (
    <li
      class="jp-gcs-lab-job" data-key={key} data-job-id={job.job_id} data-ended={hasEnded(job)}
      onKeyDown={event => {
        if (event.key === 'Delete' && allows(job, 'cancel')) {
          event.preventDefault();
          void platform.perform('cancel', job.job_id);
        }
      }}
      onFocusIn={() => { store.chosen.value = key; }}
    >
      <button
        type="button" class="jp-gcs-lab-job-main" tabIndex={reached ? 0 : -1}
        onClick={open}
        onMouseDown={event => { watchDrag(event, at => { platform.drag(job, at); }); }}
      >
        {useMemo(() => <Lines store={store} job={job} />, [job])}
      </button>
      <Deeds store={store} job={job} reached={reached} />
    </li>
  );
}

function Lines({ store, job }: { store: PanelStore; job: IPanelJob }) {
  const { trans } = store.platform;
  const alarm = job.state === 'ERROR' || job.state === 'FAILED';
  return (
    <span class="jp-gcs-lab-job-lines" title={jobHelp(job, trans)}>
      <span class="jp-gcs-lab-job-line">
        <StateMark state={job.state}><span class="gcs-spoken">{stateWord(job.state, trans)}</span></StateMark>{' '}
        <span class="jp-gcs-lab-job-name">{job.name}</span>{' '}
        <span class="jp-gcs-lab-job-id">{job.job_id}</span>
      </span>{' '}
      <span class="jp-gcs-lab-job-line jp-gcs-lab-job-second">
        <Percent job={job} />
        <span class={`jp-gcs-lab-job-text${alarm ? ' gcs-alarm-text' : ''}`}>{lineWords(job, trans)}</span>{' '}
        <Clock store={store} job={job} />
      </span>
      {job.tasks === null ? <Progress job={job} /> : <TaskBar tasks={job.tasks} help={taskWords(job.tasks, trans)} />}
    </span>
  );
}

/** It alone is drawn again when time goes on. */
function Clock({ store, job }: { store: PanelStore; job: IPanelJob }) {
  return <span class="jp-gcs-lab-job-clock">{timeWords(job, store.ticking.now.value, store.platform.trans)}</span>;
}

function fractionOf(job: IPanelJob): number | null {
  return job.tasks === null && job.started !== null && !hasEnded(job) ? job.progress?.fraction ?? null : null;
}

function Percent({ job }: { job: IPanelJob }) {
  const fraction = fractionOf(job);
  return fraction === null ? null : <><b class="jp-gcs-lab-job-percent">{Math.floor(100 * fraction)}%</b>{' '}</>;
}

function Progress({ job }: { job: IPanelJob }) {
  const fraction = fractionOf(job);
  return fraction === null
    ? null
    : <span class="jp-gcs-lab-meter" aria-hidden="true"><i style={{ width: `${(100 * Math.max(0, Math.min(1, fraction))).toFixed(1)}%` }} /></span>;
}

/** The states of a sweep's tasks, side by side; the row's words say the same. */
function TaskBar({ tasks, help }: { tasks: IPanelTasks; help: string }) {
  const total = Math.max(1, tasks.total);
  return (
    <span class="jp-gcs-lab-meter jp-gcs-lab-task-bar" aria-hidden="true" title={help}>
      {taskParts(tasks).map(([state, count]) => {
        const look = stateLook(state);
        return (
          <i
            key={state} data-state={state}
            style={{ width: `${(100 * count / total).toFixed(2)}%`, '--gcs-on-light': look.on_light, '--gcs-on-dark': look.on_dark }}
          />
        );
      })}
    </span>
  );
}

function Deeds({ store, job, reached }: { store: PanelStore; job: IPanelJob; reached: boolean }) {
  const { platform } = store;
  const deeds = rowDeeds(job, platform.trans);
  return (
    <>
      {deeds.length > 0 && (
        <span class="jp-gcs-lab-job-deeds" role="group" aria-label={platform.trans.__('Job %1', job.job_id)}>
          {deeds.map(deed => <DeedButton key={deed.deed} deed={deed} reached={reached} onPress={() => { void platform.perform(deed.deed, job.job_id); }} />)}
        </span>
      )}
      {offersRerun(job) && (
        <button
          type="button" class="gcs-button jp-gcs-lab-rerun" tabIndex={reached ? 0 : -1}
          onClick={() => { void platform.perform('rerun_failed', job.job_id); }}
        >
          {job.tasks === null || job.tasks.failed === 0
            ? deedLabel('rerun_failed', platform.trans)
            : platform.trans._n('Rerun %2 failed', 'Rerun %2 failed', job.tasks.failed, formatCount(job.tasks.failed))}
        </button>
      )}
    </>
  );
}

function DeedButton({ deed, reached, onPress }: { deed: IDeed; reached: boolean; onPress: () => void }) {
  return (
    <button
      type="button" class={`gcs-button gcs-icon-button${deed.danger ? ' gcs-danger' : ''}`} data-deed={deed.deed}
      tabIndex={reached ? 0 : -1} aria-label={deed.label} title={deed.label} onClick={onPress}
    >
      <Icon path={deed.path} />
    </button>
  );
}

/** Tell where the mouse is once it has moved far enough with its first button down. */
function watchDrag(press: MouseEvent, begin: (at: MouseEvent) => void): void {
  if (press.button !== 0) {
    return;
  }
  const end = () => {
    document.removeEventListener('mousemove', move, true);
    document.removeEventListener('mouseup', end, true);
  };
  const move = (event: MouseEvent) => {
    if (Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) >= DRAG_DISTANCE) {
      end();
      begin(event);
    }
  };
  document.addEventListener('mousemove', move, true);
  document.addEventListener('mouseup', end, true);
}
