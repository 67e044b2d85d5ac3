// Parameters of a notebook that becomes a job: those of its parameters cell, and rows for others.
import { idOf } from './form_ids';
import type { FormModel } from './form_model';
import type { IParameterRow } from './parameters';

export function ParameterFields({ model }: { model: FormModel }) {
  const { trans } = model;
  const rows = model.parameters.value;
  const put = (index: number, values: Partial<IParameterRow>) => {
    model.setParameters(rows.map((row, at) => (at === index ? { ...row, ...values } : row)));
  };
  return (
    <fieldset class="jp-gcs-lab-parameters">
      <legend>{trans.__('Parameters')}</legend>
      {rows.length === 0 && <p class="jp-gcs-lab-hint">{trans.__('The notebook has no cell with the tag "parameters"; those given here come first in it.')}</p>}
      {rows.map((row, index) => (
        <div key={index} class="jp-gcs-lab-parameter">
          <input
            type="text" class="jp-gcs-lab-code" value={row.name} readOnly={row.given !== ''} spellcheck={false} autocomplete="off"
            aria-label={trans.__('Name of parameter %1', index + 1)} id={idOf(`parameter-${index}`)}
            onInput={event => { put(index, { name: event.currentTarget.value }); }}
          />
          <span aria-hidden="true">=</span>
          <input
            type="text" class="jp-gcs-lab-code" value={row.value} placeholder={row.given} spellcheck={false} autocomplete="off"
            aria-label={row.name === '' ? trans.__('Value of parameter %1', index + 1) : trans.__('Value of %1', row.name)}
            onInput={event => { put(index, { value: event.currentTarget.value }); }}
          />
        </div>
      ))}
      <button type="button" class="jp-gcs-lab-small" onClick={() => { model.setParameters([...rows, { name: '', value: '', given: '' }]); }}>
        {trans.__('Add a parameter')}
      </button>
    </fieldset>
  );
}
