// The period: one of the usual ones, one from-to, or the one before or after.
import { BACK, Choice, FORTH, IconButton } from '../face/parts';
import { fromInput, PRESETS, presetOf, stepped, toInput, type IPeriod } from './periods';
import type { ExplorerStore } from './store';

export function PeriodPicker({ store, id }: { store: ExplorerStore; id: string }) {
  const { since, until } = store.state.value;
  const span = store.welcome.value?.span ?? null;
  const last = span?.[1] ?? Date.now() / 1000;
  const period = { since, until };
  const set = (next: IPeriod) => {
    const good = next.since === null || next.until === null || next.since < next.until;
    if (good) {
      store.narrow(next);
    } else {
      store.book.note('The period would end before it begins: choose a later end, or an earlier beginning.', true);
    }
    return good;
  };
  const off = span === null || (since === null && until === null) ? 'it is all records' : '';
  const step = (steps: number) => { set(stepped(period, span ?? [last, last], steps)); };
  return (
    <div class="gcs-line gcs-period" role="group" aria-label="period">
      <Choice
        name={`${id}-period`} label="period" options={PRESETS.map(preset => [preset.name, preset.label] as const)} value={presetOf(period, last) ?? ''}
        onChoose={name => { set(PRESETS.find(preset => preset.name === name)?.of(last) ?? period); }}
      />
      <span class="gcs-from-to">
        <IconButton label="The period before" path={BACK} off={off} onPress={() => { step(-1); }} />
        <Moment id={`${id}-since`} label="from" value={since ?? span?.[0] ?? null} onChoose={at => set({ since: at, until })} />
        <Moment id={`${id}-until`} label="to" value={until ?? span?.[1] ?? null} onChoose={at => set({ since, until: at })} />
        <IconButton label="The period after" path={FORTH} off={off} onPress={() => { step(1); }} />
      </span>
    </div>
  );
}

function Moment({ id, label, value, onChoose }: { id: string; label: string; value: number | null; onChoose: (at: number | null) => boolean }) {
  const told = toInput(value);
  // On leaving it or Enter, not while it is written: each digit would be a period.
  const take = (input: HTMLInputElement) => {
    if (input.value !== told && !onChoose(fromInput(input.value))) {
      input.value = told;
    }
  };
  return (
    <span class="gcs-select">
      <label for={id}>{label}</label>
      <input
        id={id} type="datetime-local" value={told} onBlur={event => { take(event.currentTarget); }}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            take(event.currentTarget);
          }
        }}
      />
    </span>
  );
}
