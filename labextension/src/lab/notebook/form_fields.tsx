// Fields of the form: a label, an input, and below it what is wrong or how it is written.
import type { ComponentChildren } from 'preact';

interface IField {
  id: string;
  label: string;
  problem?: string | undefined;
  hint?: string | undefined;
  children: (described: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: 'true' }) => ComponentChildren;
  /** Behind the input: a button that takes it away. */
  after?: ComponentChildren;
}

export function Field({ id, label, problem = '', hint = '', children, after }: IField) {
  const note = `${id}-note`;
  const described = {
    id,
    ...(problem + hint === '' ? {} : { 'aria-describedby': note }),
    ...(problem === '' ? {} : { 'aria-invalid': 'true' as const })
  };
  return (
    <div class={`jp-gcs-lab-field${problem === '' ? '' : ' jp-gcs-lab-wrong'}`}>
      <label for={id}>{label}</label>
      <div class="jp-gcs-lab-input">
        {children(described)}
        {after}
      </div>
      {problem + hint !== '' && <span id={note} class="jp-gcs-lab-hint">{problem === '' ? hint : problem}</span>}
    </div>
  );
}

interface ITextField extends Omit<IField, 'children'> {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string | undefined;
  /** Suggestions: value and what is said of it. */
  list?: readonly (readonly [string, string])[];
  code?: boolean;
}

export function TextField({ value, onChange, placeholder, list = [], code = false, ...field }: ITextField) {
  return (
    <Field {...field}>
      {described => (
        <>
          <input
            {...described}
            type="text"
            class={code ? 'jp-gcs-lab-code' : ''}
            value={value}
            placeholder={placeholder}
            autocomplete="off"
            spellcheck={false}
            list={list.length > 0 ? `${field.id}-list` : undefined}
            onInput={event => { onChange(event.currentTarget.value); }}
          />
          {list.length > 0 && <datalist id={`${field.id}-list`}>{list.map(([one, said]) => <option key={one} value={one}>{said}</option>)}</datalist>}
        </>
      )}
    </Field>
  );
}

/** Several lines: Enter makes a new one. */
export function TextAreaField({ value, onChange, placeholder, ...field }: Omit<ITextField, 'list' | 'code'>) {
  return (
    <Field {...field}>
      {described => (
        <textarea
          {...described}
          class="jp-gcs-lab-code"
          rows={Math.min(6, value.split('\n').length)}
          value={value}
          placeholder={placeholder}
          spellcheck={false}
          onInput={event => { onChange(event.currentTarget.value); }}
        />
      )}
    </Field>
  );
}

interface ISelectField extends Omit<IField, 'children'> {
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

export function SelectField({ value, options, onChange, ...field }: ISelectField) {
  // A value that is not offered (of a line that is there already) stays to be seen, and to be judged by the server.
  const all = options.some(([one]) => one === value) ? options : [...options, [value, value] as const];
  return (
    <Field {...field}>
      {described => (
        <select {...described} value={value} onChange={event => { onChange(event.currentTarget.value); }}>
          {all.map(([one, word]) => <option key={one} value={one} selected={one === value}>{word}</option>)}
        </select>
      )}
    </Field>
  );
}
