// What an hour costs: the first rate whose filter lets a record through counts.
import { useEffect, useState } from 'preact/hooks';

import { CROSS, Icon, IconButton, Press } from '../face/parts';
import type { IRate } from '../protocol/explorer_messages';
import type { ExplorerStore } from './store';

const UP = 'M4 10l4-4.5L12 10';

/** A rate as it is written: numbers are text until they are taken. */
interface IWritten {
  filter: string;
  per_slot_hour: string;
  per_gib_hour: string;
}

export function RatesEditor({ store, id }: { store: ExplorerStore; id: string }) {
  const { rates } = store.state.value;
  const currency = store.welcome.value?.currency ?? '';
  const [rows, setRows] = useState<IWritten[]>(written(rates));
  const [trouble, setTrouble] = useState('');
  const told = JSON.stringify(rates);
  // Another view of the same explorer may have changed them.
  useEffect(() => { setRows(written(rates)); }, [told]);

  const take = (next: IWritten[]) => {
    setRows(next);
    const read = next.map(readRate);
    const wrong = read.findIndex(rate => rate === undefined);
    if (wrong >= 0) {
      setTrouble(`Rate ${wrong + 1} is no amount: expected a number from 0 on, such as 0.02.`);
      return;
    }
    setTrouble('');
    const good = read.filter(rate => rate !== undefined);
    if (JSON.stringify(good) !== told) {
      store.change({ rates: good });
    }
  };
  const write = (at: number, different: Partial<IWritten>) => rows.map((row, place) => (place === at ? { ...row, ...different } : row));
  const headed = (title: string) => <th scope="col">{title}</th>;
  const money = currency === '' ? '' : ` (${currency})`;
  return (
    <section class="gcs-rates" aria-labelledby={`${id}-rates`}>
      <h3 id={`${id}-rates`}>Rates <span class="gcs-unit">the first whose filter lets a record through counts</span></h3>
      <table>
        <thead><tr>{headed('Records')}{headed(`Slot hour${money}`)}{headed(`GiB hour${money}`)}<th scope="col"><span class="gcs-spoken">change</span></th></tr></thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              <td><Field label={`filter of rate ${at + 1}`} text={row.filter} empty="all records" onTake={filter => { take(write(at, { filter })); }} /></td>
              <td><Field label={`per slot hour, rate ${at + 1}`} text={row.per_slot_hour} number onTake={value => { take(write(at, { per_slot_hour: value })); }} /></td>
              <td><Field label={`per GiB hour, rate ${at + 1}`} text={row.per_gib_hour} number onTake={value => { take(write(at, { per_gib_hour: value })); }} /></td>
              <td class="gcs-rate-buttons">
                <IconButton label={`Move rate ${at + 1} up`} path={UP} off={at === 0 ? 'it is the first' : ''} onPress={() => { take(moved(rows, at)); }} />
                <IconButton label={`Take rate ${at + 1} away`} path={CROSS} onPress={() => { take(rows.filter((_, place) => place !== at)); }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="gcs-line">
        <Press label="Add a rate" onPress={() => { take([{ filter: 'queue:', per_slot_hour: '0', per_gib_hour: '0' }, ...rows]); }} />
        {trouble !== '' && <span class="gcs-alarm-text" role="alert"><Icon path="M8 2.5l6 11H2ZM8 6.5v3.4M8 11.6v.2" /> {trouble}</span>}
      </div>
    </section>
  );
}

function Field({ label, text, empty = '', number = false, onTake }: {
  label: string; text: string; empty?: string; number?: boolean; onTake: (text: string) => void;
}) {
  const take = (input: HTMLInputElement) => {
    if (input.value.trim() !== text) {
      onTake(input.value.trim());
    }
  };
  return (
    <input
      type="text" aria-label={label} value={text} placeholder={empty} inputMode={number ? 'decimal' : 'text'} class={number ? 'gcs-number' : 'gcs-code'}
      autocomplete="off" spellcheck={false} onBlur={event => { take(event.currentTarget); }}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          take(event.currentTarget);
        }
      }}
    />
  );
}

function written(rates: readonly IRate[]): IWritten[] {
  return rates.map(rate => ({ filter: rate.filter, per_slot_hour: String(rate.per_slot_hour), per_gib_hour: String(rate.per_gib_hour) }));
}

/** undefined: one of its numbers is none. A comma may stand for the point. */
function readRate({ filter, per_slot_hour, per_gib_hour }: IWritten): IRate | undefined {
  const [slot, memory] = [per_slot_hour, per_gib_hour].map(text => (text.trim() === '' ? 0 : Number(text.trim().replace(',', '.'))));
  const good = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value) && value >= 0;
  return good(slot) && good(memory) ? { filter, per_slot_hour: slot, per_gib_hour: memory } : undefined;
}

function moved(rows: readonly IWritten[], at: number): IWritten[] {
  const row = rows[at];
  return row === undefined ? [...rows] : [...rows.slice(0, at - 1), row, ...rows.slice(at - 1, at), ...rows.slice(at + 1)];
}
