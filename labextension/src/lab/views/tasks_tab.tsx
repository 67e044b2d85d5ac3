// The tasks of a sweep or an array job: all at a glance as a strip, and as a table with what each was given and how it ended.
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'preact/hooks';

import { formatClock, formatCount, formatMemory } from '../../card/figures';
import type { Runs } from '../../cockpit/task_cells';
import { StateMark } from '../../cockpit/state_mark';
import { TaskStrip } from '../../cockpit/task_strip';
import { wordsOf } from '../../face/connection';
import { BACK, Choice, FORTH, IconButton } from '../../face/parts';
import type { ITaskRows } from '../../protocol/rest';
import type { JobStore } from './job_store';
import { useLookingAgain } from './looking_again';

const PAGE_ROWS = 200;
const LOOK_MILLISECONDS = 5000;
type Which = '' | 'FAILED';

interface ITasksTab {
  store: JobStore;
  trans: TranslationBundle;
  shown: boolean;
  id: string;
  onOpen: (task: number) => void;
}

export function TasksTab({ store, trans, shown, id, onOpen }: ITasksTab) {
  const [told, setTold] = useState<ITaskRows | null>(null);
  const [trouble, setTrouble] = useState('');
  const [first, setFirst] = useState(0);
  const [which, setWhich] = useState<Which>('');
  const seen = shown && store.cockpit.visible.value && store.cockpit.live.value;
  const look = async (isOver: () => boolean) => {
    try {
      const answer = await store.ask<ITaskRows>('tasks', { first, limit: PAGE_ROWS, ...(which === '' ? {} : { state: which }) });
      if (isOver()) {
        return false;
      }
      setTold(answer);
      setTrouble('');
    } catch (why) {
      if (!isOver()) {
        setTrouble(wordsOf(why));
      }
    }
    return !store.over.peek();
  };
  useLookingAgain({ seen, pause: LOOK_MILLISECONDS, look }, [first, which, store.over.value, store.round.value]);

  const sweep = store.facts.value?.kind === 'sweep';
  const details = store.details.value;
  const queued = details?.strip ?? [];
  const rows = runsOf(told, which, first);
  // In the queue a later round of a sweep has numbers of its own, and what has left it is shown as it was then.
  const strip = rows.length > 0 && (sweep || details?.gone === true || queued.length === 0) ? rows : queued;
  return (
    <div class="jp-gcs-lab-tasks">
      {strip.length > 0 && (
        <TaskStrip runs={strip} task={store.task.value} dark={store.cockpit.dark.value} name={store.name.value} onOpen={onOpen} />
      )}
      <div class="gcs-line">
        {sweep && (
          <Choice
            name={`${id}-which`} label={trans.__('which tasks')} value={which}
            options={[['', trans.__('All tasks')], ['FAILED', trans.__('Failed')]] as const}
            onChoose={chosen => { setFirst(0); setWhich(chosen); }}
          />
        )}
        {told !== null && told.total > PAGE_ROWS && <Pages first={first} total={told.total} trans={trans} onChoose={setFirst} />}
      </div>
      {trouble !== '' && <p class="gcs-alarm-text" role="alert">{trouble}</p>}
      {told === null && trouble === '' && <p class="gcs-dim" role="status">{trans.__('Loading…')}</p>}
      {told?.total === 0 && <p class="gcs-empty gcs-dim">{which === '' ? trans.__('No task is known.') : trans.__('No task failed.')}</p>}
      {told !== null && told.rows.length > 0 && <Table told={told} store={store} trans={trans} onOpen={onOpen} />}
    </div>
  );
}

function Table({ told, store, trans, onOpen }: { told: ITaskRows; store: JobStore; trans: TranslationBundle; onOpen: (task: number) => void }) {
  const place = told.columns.indexOf('task');
  return (
    <div class="jp-gcs-lab-tasks-table" tabIndex={0} role="region" aria-label={trans.__('tasks')}>
      <table>
        <thead><tr>{told.columns.map(name => <th key={name} scope="col">{name}</th>)}</tr></thead>
        <tbody>
          {told.rows.map(row => {
            const task = Number(row[place] ?? 0);
            return (
              <tr key={task} aria-current={task === store.task.value ? 'true' : undefined}>
                {row.map((cell, at) => <td key={told.columns[at]}>{cellOf(told.columns[at] ?? '', cell, task, trans, onOpen)}</td>)}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function cellOf(column: string, cell: string | number | boolean | null, task: number, trans: TranslationBundle, onOpen: (task: number) => void) {
  if (column === 'task') {
    return (
      <button type="button" class="gcs-button gcs-link" aria-label={trans.__('show task %1', task)} onClick={() => { onOpen(task); }}>{task}</button>
    );
  }
  if (cell === null) {
    return '';
  }
  if (column === 'state') {
    return <StateMark state={String(cell)} />;
  }
  if (typeof cell === 'number') {
    const words: Record<string, (value: number) => string> = {
      memory: formatMemory, wall: formatClock, started: value => new Date(value * 1000).toLocaleString()
    };
    return words[column]?.(cell) ?? String(cell);
  }
  return String(cell);
}

function Pages({ first, total, trans, onChoose }: { first: number; total: number; trans: TranslationBundle; onChoose: (first: number) => void }) {
  const last = Math.min(first + PAGE_ROWS, total);
  return (
    <span class="gcs-line">
      <IconButton
        label={trans.__('Tasks before')} path={BACK} off={first === 0 ? trans.__('these are the first') : ''}
        onPress={() => { onChoose(Math.max(0, first - PAGE_ROWS)); }}
      />
      <span>{trans.__('%1 to %2 of %3', formatCount(first + 1), formatCount(last), formatCount(total))}</span>
      <IconButton
        label={trans.__('Next tasks')} path={FORTH} off={last >= total ? trans.__('these are the last') : ''}
        onPress={() => { onChoose(first + PAGE_ROWS); }}
      />
    </span>
  );
}

/** Of a sweep that has left the queue: its own rows, where they are all at hand. */
export function runsOf(told: ITaskRows | null, which: string, first: number): Runs {
  if (told === null || which !== '' || first !== 0 || told.rows.length < told.total) {
    return [];
  }
  const [task, state] = [told.columns.indexOf('task'), told.columns.indexOf('state')];
  const runs: Runs = [];
  for (const row of told.rows) {
    const [number, word] = [Number(row[task] ?? 0), String(row[state] ?? '')];
    const last = runs.at(-1);
    if (last?.[0] === word && last[2] + last[1] === number) {
      last[1] += 1;
    } else {
      runs.push([word, 1, number]);
    }
  }
  return runs;
}
