// The period: one of the usual ones, one from-to, or the one before or after.
import { BACK, Choice, FORTH, IconButton } from '../face/parts';
import { BROWSER_CLOCK, type WallClock } from '../grid/wall_clock';
import { fromInput, PRESETS, presetOf, stepped, toInput, type IPeriod } from './periods';
import type { ExplorerStore } from './store';

export function PeriodPicker({ store, id }: { store: ExplorerStore; id: string }) {
  const { since, until } = store.state.value;
  const span = store.welcome.value?.span ?? null;
  const clock = store.clock.value;
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
        name={`${id}-period`} label="period" options={PRESETS.map(preset => [preset.name, preset.label] as const)} value={presetOf(period, last, clock) ?? ''}
        onChoose={name => { set(PRESETS.find(preset => preset.name === name)?.of(last, clock) ?? period); }}
      />
      <span class="gcs-from-to">
        <IconButton label="The period before" path={BACK} off={off} onPress={() => { step(-1); }} />
        <Moment id={`${id}-since`} clock={clock} label="from" value={since ?? span?.[0] ?? null} onChoose={at => set({ since: at, until })} />
        <Moment id={`${id}-until`} clock={clock} label="to" value={until ?? span?.[1] ?? null} onChoose={at => set({ since, until: at })} />
        <IconButton label="The period after" path={FORTH} off={off} onPress={() => { step(1); }} />
        <Zone clock={clock} />
      </span>
    </div>
  );
}

interface IMoment {
  id: string;
  label: string;
  value: number | null;
  clock: WallClock;
  onChoose: (at: number | null) => boolean;
}

function Moment({ id, label, value, clock, onChoose }: IMoment) {
  const told = toInput(value, clock);
  // On leaving it or Enter, not while it is written: each digit would be a period.
  const take = (input: HTMLInputElement) => {
    if (input.value !== told && !onChoose(fromInput(input.value, clock))) {
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

/** Which clock times are by, where it is not the reader's own. */
function Zone({ clock }: { clock: WallClock }) {
  const now = Date.now() / 1000;
  const ahead = clock.aheadAt(now);
  if (ahead === BROWSER_CLOCK.aheadAt(now)) {
    return null;
  }
  const minutes = Math.abs(Math.round(ahead / 60));
  const two = (part: number) => String(part).padStart(2, '0');
  const told = `UTC${ahead < 0 ? '−' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return <span class="gcs-dim" title="All times here are by the clock of the host's machine, which is not that of this browser">{told}</span>;
}
