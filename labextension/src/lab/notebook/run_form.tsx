// The form of a job, with the line that it means below.
import { useState } from 'preact/hooks';

import type { IClusterInfo, IJobForm } from '../../protocol/rest';
import { SelectField, TextAreaField, TextField } from './form_fields';
import { idOf } from './form_ids';
import { kindOf, type FormModel } from './form_model';
import { ParameterFields } from './parameter_fields';
import { RequestFields } from './request_fields';

interface IPart {
  model: FormModel;
  problems: Readonly<Record<string, string>>;
}

export function RunForm({ model }: { model: FormModel }) {
  const { trans, start } = model;
  const problems = model.problems();
  const waits = model.catalogue.value === null && model.trouble.value === '';
  return (
    <div class="jp-gcs-lab-form" aria-busy={waits || model.working.value}>
      {start.paths.length > 1 && <Files paths={start.paths} model={model} />}
      {start.notes.map(note => <p key={note} class="jp-gcs-lab-note">{note}</p>)}
      <div class="jp-gcs-lab-columns">
        <First model={model} problems={problems} />
        <section aria-label={trans.__('Requests')}>
          {waits
            ? <p class="jp-gcs-lab-note" role="status">{trans.__('Asking %1 what it has…', model.cluster.value)}</p>
            : <RequestFields model={model} problems={problems} />}
          <Advice model={model} />
        </section>
      </div>
      {start.paths.some(path => kindOf(path) === 'notebook') && start.kind !== 'cell' && <ParameterFields model={model} />}
      <More model={model} problems={problems} />
      <Preview model={model} problems={problems} />
    </div>
  );
}

function First({ model, problems }: IPart) {
  const { trans } = model;
  const form = model.form.value;
  const catalogue = model.catalogue.value;
  const text = (field: keyof IJobForm) => (value: string) => { model.change({ [field]: value }); };
  const clusters = model.clusters.map(one => [one.name, clusterWords(one, model)] as const);
  const queues = (catalogue?.queues ?? []).map(one => [one.name, queueWords(one, model)] as const);
  const environments = (catalogue?.parallel_environments ?? []).map(one => [one.name, one.slots === null ? one.name : trans.__('%1 (up to %2 slots)', one.name, one.slots)] as const);
  const preset = (flag: string) => presetWords(catalogue?.defaults[flag], model);
  return (
    <section aria-label={trans.__('Job')}>
      <SelectField id={idOf('cluster')} label={trans.__('Cluster')} value={model.cluster.value} options={clusters} onChange={name => { void model.use(name); }} />
      <TextField id={idOf('name')} label={trans.__('Name')} value={form.name} problem={problems.name} placeholder={preset('-N')} onChange={text('name')} />
      <SelectField
        id={idOf('queue')} label={trans.__('Queue')} value={form.queue} problem={problems.queue}
        options={[['', preset('-q') ?? trans.__('any')], ...queues]} onChange={text('queue')}
      />
      <SelectField
        id={idOf('parallel_environment')} label={trans.__('Parallel')} value={form.parallel_environment} problem={problems.parallel_environment}
        options={[['', preset('-pe') ?? trans.__('no, one slot')], ...environments]}
        onChange={name => { model.change({ parallel_environment: name, slots: name !== '' && form.slots === '' ? '2' : form.slots }); }}
      />
      {form.parallel_environment !== '' && (
        <TextField id={idOf('slots')} label={trans.__('Slots')} value={form.slots} problem={problems.slots} placeholder="4, 2-8" onChange={text('slots')} />
      )}
      {model.start.kind === 'cell' && (
        <fieldset class="jp-gcs-lab-verb">
          <legend>{trans.__('Notebook')}</legend>
          <div>
            {([['submit', trans.__('goes on at once')], ['run', trans.__('waits for the job')]] as const).map(([verb, word]) => (
              <label key={verb}>
                <input type="radio" name="jp-gcs-lab-verb" checked={form.verb === verb} onChange={() => { model.change({ verb }); }} />
                {word}
              </label>
            ))}
          </div>
        </fieldset>
      )}
    </section>
  );
}

function More({ model, problems }: IPart) {
  const { trans } = model;
  const form = model.form.value;
  const text = (field: keyof IJobForm) => (value: string) => { model.change({ [field]: value }); };
  const fields: (keyof IJobForm)[] = ['after', 'over', 'max_parallel', 'project', 'priority', 'more'];
  const [open, setOpen] = useState(fields.some(field => form[field] !== ''));
  const shown = open || fields.some(field => problems[field] !== undefined);
  const projects = (model.catalogue.value?.projects ?? []).map(name => [name, ''] as const);
  return (
    <details class="jp-gcs-lab-more" open={shown} onToggle={event => { setOpen(event.currentTarget.open); }}>
      <summary>{trans.__('Sweep, other jobs, project, priority')}</summary>
      <div class="jp-gcs-lab-columns">
        <section>
          {model.start.kind !== 'notebook' && (
            <>
              <TextAreaField
                id={idOf('over')} label={trans.__('Sweep over')} value={form.over} problem={problems.over} placeholder="lr=[0.1, 0.3]"
                hint={form.over.includes('\n') ? trans.__('All combinations of the lines.') : ''} onChange={text('over')}
              />
              <TextField id={idOf('max_parallel')} label={trans.__('At most at once')} value={form.max_parallel} problem={problems.max_parallel} onChange={text('max_parallel')} />
            </>
          )}
          <TextField
            id={idOf('after')} label={trans.__('After jobs')} value={form.after} problem={problems.after}
            placeholder={trans.__('ids or names, with commas')} list={jobsToWaitFor(model)} onChange={text('after')}
          />
        </section>
        <section>
          <TextField id={idOf('project')} label={trans.__('Project')} value={form.project} problem={problems.project} list={projects} placeholder={presetWords(model.catalogue.value?.defaults['-P'], model)} onChange={text('project')} />
          <TextField id={idOf('priority')} label={trans.__('Priority')} value={form.priority} problem={problems.priority} placeholder="0" onChange={text('priority')} />
          <TextField id={idOf('more')} label={trans.__('More flags')} value={form.more} problem={problems.more} placeholder="--env A=1 --cache" code onChange={text('more')} />
        </section>
      </div>
    </details>
  );
}

function Advice({ model }: { model: FormModel }) {
  const { trans } = model;
  const advice = model.advice.value;
  if (advice === null) {
    return null;
  }
  const requests = model.form.value.requests;
  const taken = advice.requests.every(one => requests[one.name] === one.value);
  return (
    <p class="jp-gcs-lab-note" title={advice.requests.map(one => one.why).join('\n')}>
      {advice.text}
      {' '}
      {advice.requests.length > 0 && !taken && (
        <button type="button" class="jp-gcs-lab-small" onClick={() => { model.takeAdvice(); }}>
          {trans.__('Use %1', advice.requests.map(one => `${one.name}=${one.value}`).join(', '))}
        </button>
      )}
    </p>
  );
}

function Preview({ model, problems }: IPart) {
  const { trans } = model;
  const line = model.plan.value?.line ?? '';
  const wrong = Object.entries(problems).filter(([field]) => field === '' || !(field in model.form.value || field.startsWith('requests.')));
  const trouble = model.trouble.value;
  const startable = trouble !== '' && model.clusters.some(one => one.name === model.cluster.value && one.state !== 'running' && one.startable);
  const waits = !model.current.value && trouble === '' && Object.keys(problems).length === 0;
  return (
    <section class="jp-gcs-lab-preview" aria-label={trans.__('What will be sent')}>
      <code class={model.current.value ? '' : 'jp-gcs-lab-stale'} tabIndex={0} role="group" aria-label={trans.__('Line')} aria-live="polite" aria-busy={waits}>
        {line === '' ? (waits ? trans.__('…') : trans.__('There is no line yet.')) : line}
      </code>
      <div role="alert">
        {trouble !== '' && <p class="jp-gcs-lab-problem">{trouble}</p>}
        {startable && (
          <button type="button" class="jp-gcs-lab-small" disabled={model.working.value} onClick={() => { void model.startCluster(); }}>
            {model.working.value ? trans.__('Starting…') : trans.__('Start %1', model.cluster.value)}
          </button>
        )}
        {wrong.map(([field, message]) => <p key={field} class="jp-gcs-lab-problem">{message}</p>)}
      </div>
      {model.current.value && (model.plan.value?.warnings ?? []).map(text => <p key={text} class="jp-gcs-lab-warning">{text}</p>)}
      {model.working.value && !startable && <p role="status" class="jp-gcs-lab-note">{trans.__('Sending…')}</p>}
    </section>
  );
}

function Files({ paths, model }: { paths: readonly string[]; model: FormModel }) {
  const { trans } = model;
  return (
    <details class="jp-gcs-lab-note">
      <summary>{trans._n('%1 file, a job of its own', '%1 files, a job each', paths.length)}</summary>
      <ul>{paths.map(path => <li key={path}>{path}</li>)}</ul>
    </details>
  );
}

/** Jobs of mine that have not ended, behind those that the field has. */
function jobsToWaitFor(model: FormModel): (readonly [string, string])[] {
  const panel = model.manager.panel.state.value;
  if (panel?.cluster !== model.cluster.value) {
    return [];
  }
  const written = model.form.value.after;
  const before = written.includes(',') ? written.slice(0, written.lastIndexOf(',') + 1) : '';
  const jobs = panel.live.map(key => panel.jobs[key]).filter(job => job !== undefined);
  return jobs.map(job => [`${before}${job.job_id}`, `${job.name}, ${job.state.toLowerCase()}`] as const);
}

function presetWords(value: string | undefined, model: FormModel): string | undefined {
  return value === undefined || value === '' ? undefined : model.trans.__('preset: %1', value);
}

function clusterWords(one: IClusterInfo, model: FormModel): string {
  const { trans } = model;
  const state = { running: '', stopped: trans.__('not started'), unreachable: trans.__('does not answer') }[one.state];
  return state === '' ? one.name : `${one.name} (${state})`;
}

function queueWords(one: { name: string; slots_free: number | null; slots_total: number | null; state: string }, model: FormModel): string {
  const free = one.slots_free === null || one.slots_total === null ? '' : model.trans.__('%1 of %2 slots free', one.slots_free, one.slots_total);
  const said = [free, one.state].filter(part => part !== '').join(', ');
  return said === '' ? one.name : `${one.name} (${said})`;
}
