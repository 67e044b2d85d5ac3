// A choice of one of several, with its name before it.

interface ISelect {
  id: string;
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChoose: (value: string) => void;
}

export function Select({ id, label, value, options, onChoose }: ISelect) {
  return (
    <span class="gcs-select">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={event => { onChoose(event.currentTarget.value); }}>
        {options.map(([name, word]) => <option key={name} value={name} selected={name === value}>{word}</option>)}
      </select>
    </span>
  );
}
