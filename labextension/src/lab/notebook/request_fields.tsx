// Requests by complex: those that most jobs have, those that were added, and a box that adds one.
import { useEffect, useRef, useState } from 'preact/hooks';

import type { IComplex } from '../../protocol/rest';
import { addable, requestRows, typeExample, typeHint } from './field_rules';
import { SelectField, TextField } from './form_fields';
import { idOf } from './form_ids';
import type { FormModel } from './form_model';
import { formOfFlags } from './job_form';

export function RequestFields({ model, problems }: { model: FormModel; problems: Readonly<Record<string, string>> }) {
  const { requests } = model.form.value;
  const rows = requestRows(requests, model.complexes);
  const node = useRef<HTMLDivElement>(null);
  const [added, setAdded] = useState('');
  useEffect(() => {
    if (added !== '') {
      node.current?.querySelector<HTMLElement>(`[id="${idOf(`requests.${added}`)}"]`)?.focus();
    }
  }, [added]);
  return (
    <div ref={node} class="jp-gcs-lab-requests">
      {rows.map(name => (
        <RequestField
          key={name} name={name} model={model} value={requests[name] ?? ''} problem={problems[`requests.${name}`]}
          complex={model.complexes.find(one => one.name === name)}
        />
      ))}
      <AddRequest model={model} onAdd={setAdded} />
    </div>
  );
}

interface IRequestField {
  name: string;
  value: string;
  model: FormModel;
  complex: IComplex | undefined;
  problem: string | undefined;
}

function RequestField({ name, value, model, complex, problem }: IRequestField) {
  const { trans } = model;
  const type = complex?.type ?? '';
  const stays = requestRows({}, model.complexes).includes(name);
  const common = {
    id: idOf(`requests.${name}`),
    label: name,
    problem,
    onChange: (text: string) => { model.request(name, text); },
    after: (
      <>
        <span class="jp-gcs-lab-type" title={typeHint(type, trans)}>{type.toLowerCase()}</span>
        <button
          type="button" class={`jp-gcs-lab-small${stays && value === '' ? ' jp-gcs-lab-no-button' : ''}`}
          aria-label={trans.__('Do not ask for %1', name)} title={trans.__('Do not ask for %1', name)}
          onClick={() => {
            model.request(name, null);
            // The button goes; the keyboard stays in the form.
            document.getElementById(idOf('add'))?.focus();
          }}
        >
          ✕
        </button>
      </>
    )
  };
  if (type === 'BOOL') {
    const options = [['', trans.__('not asked for')], ['TRUE', 'TRUE'], ['FALSE', 'FALSE']] as const;
    const written = { true: 'TRUE', 1: 'TRUE', false: 'FALSE', 0: 'FALSE' }[value.toLowerCase()] ?? value;
    return <SelectField {...common} value={written} options={options} />;
  }
  const hosts = type === 'HOST' ? model.catalogue.value?.hosts ?? [] : [];
  return <TextField {...common} value={value} list={hosts.map(host => [host, ''] as const)} placeholder={placeholderOf(name, complex, model)} />;
}

/** What holds if nothing is written; else an example. */
function placeholderOf(name: string, complex: IComplex | undefined, { catalogue, trans }: FormModel): string {
  const mine = formOfFlags(catalogue.value?.defaults ?? {}).requests[name] ?? '';
  const preset = mine !== '' ? mine : /^([0:.]*|NONE)$/.test(complex?.default ?? '') ? '' : complex?.default ?? '';
  const example = typeExample(complex?.type ?? '');
  return preset !== '' ? trans.__('preset: %1', preset) : example === '' ? '' : trans.__('for example %1', example);
}

/** Names can be typed; the browser filters the list. Enter or choosing one adds it. */
function AddRequest({ model, onAdd }: { model: FormModel; onAdd: (name: string) => void }) {
  const [text, setText] = useState('');
  const { trans } = model;
  const offered = addable(model.form.value.requests, model.complexes);
  const match = (wanted: string) => offered.find(one => one.name === wanted || one.shortcut === wanted);
  const add = (wanted: string) => {
    const complex = match(wanted);
    if (complex !== undefined) {
      model.request(complex.name, '');
      onAdd(complex.name);
      setText('');
    }
  };
  if (offered.length === 0) {
    return null;
  }
  const unknown = text !== '' && !offered.some(one => one.name.startsWith(text) || one.shortcut.startsWith(text));
  return (
    <div
      data-gcs-enter={text === '' ? undefined : 'own'}
      onKeyDown={event => {
        if (event.key === 'Enter' && text !== '') {
          event.preventDefault();
          add(text.trim());
        }
      }}
      onChange={event => { add((event.target as HTMLInputElement).value.trim()); }}
    >
      <TextField
        id={idOf('add')}
        label={trans.__('Add a request')}
        value={text}
        placeholder={trans.__('one of %1: type, or choose', offered.length)}
        list={offered.map(one => [one.name, `${one.shortcut}, ${one.type.toLowerCase()}${one.consumable ? `, ${trans.__('consumable')}` : ''}`] as const)}
        problem={unknown ? trans.__('This cluster has no complex "%1" that can be asked for.', text) : ''}
        onChange={setText}
      />
    </div>
  );
}
