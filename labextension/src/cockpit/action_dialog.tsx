// No action without this: what it would do, counted by the host; then what came of it.
import { useEffect, useRef, useState } from 'preact/hooks';

import { formatCount } from '../card/figures';
import type { IActed, IPlan } from '../protocol/messages';
import { copyText } from '../card/clipboard';
import { Press } from '../face/parts';
import { wordsOf } from '../face/connection';
import type { CockpitStore, IAsking } from './store';

/** While a field is written, the plan is asked for after this rest. */
const REST_MILLISECONDS = 250;
const LISTED = 200;

export function ActionDialog({ store, asking, id }: { store: CockpitStore; asking: IAsking; id: string }) {
  const { action, targets } = asking;
  const node = useRef<HTMLDialogElement>(null);
  const [fields, setFields] = useState<Record<string, string>>({});
  const [plan, setPlan] = useState<IPlan | null>(null);
  const [planned, setPlanned] = useState('');
  const [acted, setActed] = useState<IActed | null>(null);
  const [working, setWorking] = useState(false);
  const [trouble, setTrouble] = useState('');
  const told = JSON.stringify(fields);
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ''));
  const first = useRef(true);

  useEffect(() => {
    const dialog = node.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>(action.fields.length > 0 ? 'input' : '[data-first]')?.focus();
    return () => { dialog?.close(); };
  }, []);

  useEffect(() => {
    let outdated = false;
    const ask = () => {
      store.connection.ask('plan', { action: action.name, targets, fields: given }).then(
        answer => {
          if (!outdated) {
            setPlan(answer);
            setPlanned(told);
            setTrouble('');
          }
        },
        (why: unknown) => { if (!outdated) { setTrouble(wordsOf(why)); } }
      );
    };
    const timer = setTimeout(ask, first.current ? 0 : REST_MILLISECONDS);
    first.current = false;
    return () => {
      outdated = true;
      clearTimeout(timer);
    };
  }, [told]);

  const close = () => {
    // Before it leaves the page: the browser gives the focus back to where it was.
    node.current?.close();
    store.asking.value = null;
  };
  const act = async () => {
    setWorking(true);
    try {
      setActed(await store.connection.ask('act', { action: action.name, targets, fields: given }));
      setTrouble('');
    } catch (why) {
      setTrouble(wordsOf(why));
    }
    setWorking(false);
  };
  // Nothing failed: there is nothing to read.
  useEffect(() => {
    if (acted?.failures.length === 0 && acted.error === '') {
      store.note(doneWords(action.label, acted.done));
      close();
    }
  }, [acted]);

  const off = offFor(store, plan, planned === told, working);
  return (
    <dialog
      ref={node}
      class="gcs-dialog"
      role="alertdialog"
      aria-labelledby={`${id}-asked`}
      aria-describedby={`${id}-help`}
      data-lm-suppress-shortcuts="true"
      onCancel={event => { event.preventDefault(); close(); }}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Escape') {
          event.preventDefault();
          close();
        }
      }}
    >
      {acted === null
        ? (
          <form method="dialog" onSubmit={event => { event.preventDefault(); if (off === '') { void act(); } }}>
            <h3 id={`${id}-asked`}>{plan?.question ?? `${action.label}…`}</h3>
            <p id={`${id}-help`} class="gcs-dim">{action.help}</p>
            <Fields asking={asking} id={id} fields={fields} onChange={setFields} />
            {plan !== null && plan.error !== '' && <p class="gcs-alarm-text" role="alert">{plan.error}</p>}
            {plan !== null && plan.refused.length > 0 && <Pairs title="It cannot be done to" pairs={plan.refused} />}
            {trouble !== '' && <p class="gcs-alarm-text" role="alert">{trouble}</p>}
            <div class="gcs-dialog-buttons">
              <button type="button" class="gcs-button" data-first onClick={close}>Keep as it is</button>
              <button
                type="submit"
                class={`gcs-button ${action.danger ? 'gcs-danger gcs-primary-danger' : 'gcs-primary'}`}
                {...(off === '' ? {} : { 'aria-disabled': 'true', title: off })}
              >
                {working ? 'Working…' : action.label}
              </button>
            </div>
          </form>
        )
        : <Result id={id} label={action.label} acted={acted} onClose={close} />}
    </dialog>
  );
}

function offFor(store: CockpitStore, plan: IPlan | null, current: boolean, working: boolean): string {
  if (store.noActions.value !== '') {
    return store.noActions.value;
  }
  if (working) {
    return 'it is being done';
  }
  if (plan === null || !current) {
    return 'the host is counting';
  }
  return plan.error !== '' ? plan.error : plan.jobs + plan.tasks === 0 ? 'there is nothing to do' : '';
}

function Fields({ asking, id, fields, onChange }: {
  asking: IAsking; id: string; fields: Record<string, string>; onChange: (fields: Record<string, string>) => void;
}) {
  return (
    <>
      {asking.action.fields.map(field => (
        <div class="gcs-field" key={field.name}>
          <label for={`${id}-${field.name}`}>{field.label}</label>
          <input
            id={`${id}-${field.name}`}
            type="text"
            inputMode={field.type === 'integer' ? 'numeric' : 'text'}
            list={undefined}
            value={fields[field.name] ?? ''}
            aria-describedby={`${id}-${field.name}-help`}
            autocomplete="off"
            spellcheck={false}
            onInput={event => { onChange({ ...fields, [field.name]: event.currentTarget.value }); }}
          />
          <span id={`${id}-${field.name}-help`} class="gcs-dim">{field.help}</span>
        </div>
      ))}
    </>
  );
}

function Result({ id, label, acted, onClose }: { id: string; label: string; acted: IActed; onClose: () => void }) {
  const [copied, setCopied] = useState('');
  const close = useRef<HTMLDivElement>(null);
  useEffect(() => { close.current?.querySelector<HTMLElement>('[data-first]')?.focus(); }, []);
  const copy = async () => {
    const text = acted.failures.map(([job, message]) => `${job}\t${message}`).join('\n');
    setCopied(await copyText(text) ? 'copied' : 'the browser does not let this page copy');
  };
  const { length } = acted.failures;
  return (
    <div ref={close}>
      <h3 id={`${id}-asked`}>
        {acted.error !== '' ? `${label}: it failed` : `${label}: ${formatCount(acted.done)} done, ${formatCount(length)} failed`}
      </h3>
      <p id={`${id}-help`} class={acted.error === '' ? 'gcs-dim' : 'gcs-alarm-text'}>
        {acted.error === '' ? "What did not work, in the command's own words:" : acted.error}
      </p>
      {length > 0 && <Pairs title="" pairs={acted.failures} />}
      <div class="gcs-dialog-buttons">
        <span role="status" class="gcs-dim">{copied}</span>
        {length > 0 && <Press label="Copy" onPress={() => { void copy(); }} />}
        <button type="button" class="gcs-button gcs-primary" data-first onClick={onClose}>Close</button>
      </div>
    </div>
  );
}

/** Jobs and what is said of each. */
function Pairs({ title, pairs }: { title: string; pairs: [string, string][] }) {
  const more = pairs.length - LISTED;
  return (
    <div class="gcs-pairs" tabIndex={0} role="region" aria-label={title === '' ? 'what failed' : title}>
      {title !== '' && <p>{title}:</p>}
      <ul>
        {pairs.slice(0, LISTED).map(([job, said]) => <li key={job}><code>{job}</code> {said}</li>)}
        {more > 0 && <li>and {formatCount(more)} more</li>}
      </ul>
    </div>
  );
}

function doneWords(label: string, done: number): string {
  return `${label}: done for ${formatCount(done)} ${done === 1 ? 'job or task' : 'jobs and tasks'}.`;
}
