// Which job it is, how it is, and what can be done: each action is asked about before it is sent.
import { useState } from 'preact/hooks';

import { copyText } from '../../card/clipboard';
import { StatePill } from '../../cockpit/state_mark';
import { wordsOf } from '../../face/connection';
import { BACK, Icon, Press } from '../../face/parts';
import type { IRerun } from '../../protocol/rest';
import { CommandIDs } from '../commands';
import type { JobStore } from './job_store';
import { askRerun } from './rerun';
import type { IViewContext } from './view_context';

interface IJobHead {
  store: JobStore;
  view: IViewContext;
  id: string;
  onWhole: () => void;
}

export function JobHead({ store, view, id, onWhole }: IJobHead) {
  const { trans } = view;
  const { cluster, jobId } = store;
  const task = store.task.value;
  const details = store.details.value;
  const facts = store.facts.value;
  const state = store.state.value;
  const letters = details !== null && !details.gone ? details.letters : facts?.letters ?? '';
  return (
    <header class="gcs-face-head">
      <div class="gcs-line">
        {state !== '' && <StatePill state={state} />}
        <h2 id={`${id}-name`} class="gcs-title">{store.name.value === '' ? trans.__('Job %1', jobId) : store.name.value}</h2>
        <span class="gcs-dim">
          {task === null ? trans.__('job %1', jobId) : trans.__('job %1, task %2', jobId, task)}{' '}
          {trans.__('on %1', cluster)}
          {details !== null && details.owner !== '' && ` · ${details.owner}`}
          {letters !== '' && <> · <code>{letters}</code></>}
        </span>
        {facts !== null && facts.outcome !== '' && <span class="jp-gcs-lab-outcome">{facts.outcome}</span>}
        {details?.gone === true && facts?.outcome === '' && <span class="gcs-dim">{trans.__('it has left the queue')}</span>}
      </div>
      <div class="gcs-buttons" role="group" aria-label={trans.__('actions')}>
        {task !== null && (
          <button type="button" class="gcs-button gcs-with-icon" onClick={onWhole}><Icon path={BACK} />{trans.__('The whole job')}</button>
        )}
        <Actions store={store} />
        <More store={store} view={view} />
      </div>
    </header>
  );
}

/** What the cluster can do to it now. */
function Actions({ store }: { store: JobStore }) {
  const { cockpit } = store;
  const details = store.details.value;
  if (details === null) {
    return null;
  }
  const offered = (cockpit.welcome.value?.actions ?? []).filter(action => details.actions.includes(action.name));
  const reason = cockpit.forbidden([details.owner]);
  const off = cockpit.noActions.value !== '' ? cockpit.noActions.value : reason;
  const target = [{ job_id: details.job_id, task: details.task }];
  return (
    <>
      {offered.map(action => (
        <Press
          key={action.name} label={`${action.label}…`} danger={action.danger} off={off} title={action.help}
          onPress={() => { cockpit.act(action.name, target); }}
        />
      ))}
      {offered.length > 0 && reason !== '' && <span class="gcs-unit">{reason}</span>}
    </>
  );
}

function More({ store, view }: { store: JobStore; view: IViewContext }) {
  const { trans, commands } = view;
  const [working, setWorking] = useState(false);
  const facts = store.facts.value;
  const { book } = store.cockpit;
  if (facts === null) {
    return null;
  }
  const attach = async () => {
    if (await copyText(facts.attach)) {
      book.note(trans.__('Copied: paste it into a cell of a notebook.'));
    } else {
      book.note(trans.__('The browser does not let this page copy.'), true);
    }
  };
  const rerun = async () => {
    const requests = await askRerun(trans, store.name.value);
    if (requests === null) {
      return;
    }
    setWorking(true);
    try {
      const made = await view.manager.ask<IRerun>('POST', store.path('rerun'), { body: { failed: true, requests } });
      book.note(made.text);
      store.refresh();
    } catch (why) {
      book.note(wordsOf(why), true);
    }
    setWorking(false);
  };
  const goes = facts.notebook !== '' && facts.cell !== '' && commands.hasCommand(CommandIDs.goToCell);
  return (
    <>
      {facts.kind === 'sweep' && store.task.value === null && (
        <Press label={trans.__('Rerun failed…')} title={trans.__('Submit the failed points again')} off={working ? trans.__('it is being done') : ''} onPress={() => { void rerun(); }} />
      )}
      {goes && (
        <Press
          label={trans.__('Go to cell')} title={facts.notebook}
          onPress={() => {
            commands.execute(CommandIDs.goToCell, { notebook: facts.notebook, cell: facts.cell, job_id: store.jobId })
              .catch((why: unknown) => { book.note(wordsOf(why), true); });
          }}
        />
      )}
      {facts.attach !== '' && <Press label={trans.__('Copy code')} title={facts.attach} onPress={() => { void attach(); }} />}
    </>
  );
}
