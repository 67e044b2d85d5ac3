// The cluster in a line of four: slots, tasks by state, owners, queues. Every value narrows everything.
import { useState } from 'preact/hooks';

import { formatCount } from '../card/figures';
import type { IOverview } from '../protocol/messages';
import { valuesOf } from '../grid/filter_terms';
import { ownerColour } from '../face/colours';
import { Bar, Icon } from '../face/parts';
import { filterWord, inOrder, stateLook } from './state_word';
import type { CockpitStore } from './store';

const SHOWN = 5;

export function OverviewStrip({ store }: { store: CockpitStore }) {
  const overview = store.overview.value;
  if (overview === null) {
    return <div class="gcs-strip-tiles gcs-waiting" aria-hidden="true"><i /><i /><i /><i /></div>;
  }
  return (
    <div class="gcs-strip-tiles">
      <Slots overview={overview} />
      <Tasks store={store} overview={overview} />
      <Owners store={store} overview={overview} />
      <Queues store={store} overview={overview} />
    </div>
  );
}

function Slots({ overview }: { overview: IOverview }) {
  const { used, free, closed, total } = overview.slots;
  const share = (part: number) => (total > 0 ? part / total : 0);
  const { up, down } = overview.hosts;
  return (
    <section class="gcs-tile" aria-label="slots">
      <h3>Slots</h3>
      <p class="gcs-figure"><b>{formatCount(used)}</b> of {formatCount(total)} used <span class="gcs-dim">{Math.round(100 * share(used))}%</span></p>
      <Bar parts={[[share(used), 'gcs-part-used'], [share(free), 'gcs-part-free'], [share(closed), 'gcs-part-closed']]} />
      <ul class="gcs-key">
        <li><i class="gcs-part-used" />{formatCount(used)} used</li>
        <li><i class="gcs-part-free" />{formatCount(free)} free</li>
        <li><i class="gcs-part-closed" />{formatCount(closed)} closed</li>
      </ul>
      <p class="gcs-dim">{formatCount(up)} {up === 1 ? 'host' : 'hosts'} up{down > 0 && <>, <b class="gcs-old">{formatCount(down)} down</b></>}</p>
    </section>
  );
}

function Tasks({ store, overview }: { store: CockpitStore; overview: IOverview }) {
  const counts = inOrder(overview.tasks);
  const chosen = valuesOf(store.filter.value, 'state');
  return (
    <section class="gcs-tile" aria-label="tasks by state">
      <h3>Tasks</h3>
      {counts.length === 0 && <p class="gcs-dim">No job is running or waiting.</p>}
      <div class="gcs-pills">
        {counts.map(([state, count]) => {
          const look = stateLook(state);
          const word = filterWord(state);
          return (
            <button
              type="button"
              key={state}
              class="gcs-count-pill"
              data-state={state}
              style={{ '--gcs-on-light': look.on_light, '--gcs-on-dark': look.on_dark }}
              aria-pressed={chosen.includes(word)}
              onClick={() => { store.narrow('state', state); }}
            >
              <span class="gcs-dot"><Icon path={look.icon} /></span><b>{formatCount(count)}</b> {look.word}
            </button>
          );
        })}
      </div>
    </section>
  );
}

interface IRow {
  name: string;
  parts: [number, string][];
  figure: string;
  /** A second figure. */
  beside?: string;
  said: string;
  colour?: string;
}

function Owners({ store, overview }: { store: CockpitStore; overview: IOverview }) {
  const most = Math.max(1, ...overview.owners.map(one => one.slots));
  const rows = overview.owners.map(({ owner, slots, waiting }): IRow => {
    const rank = store.ranks.value.indexOf(owner);
    return {
      name: owner,
      parts: [[slots / most, 'gcs-part-own']],
      figure: formatCount(slots),
      beside: waiting > 0 ? `${formatCount(waiting)} wait` : '',
      said: `${slots} slots in use, ${waiting} tasks waiting`,
      colour: ownerColour(rank < 0 ? Infinity : rank, store.dark.value)
    };
  });
  return <Rows store={store} title="Owners" unit="slots in use, tasks that wait" column="owner" rows={rows} none="Nobody has a job." />;
}

function Queues({ store, overview }: { store: CockpitStore; overview: IOverview }) {
  const rows = overview.queues.map(({ queue, used, total, closed }): IRow => ({
    name: queue,
    parts: total > 0 ? [[used / total, 'gcs-part-used'], [Math.max(0, total - used - closed) / total, 'gcs-part-free'], [closed / total, 'gcs-part-closed']] : [],
    figure: `${formatCount(used)}/${formatCount(total)}`,
    said: `${used} of ${total} slots used, ${closed} closed`
  }));
  return <Rows store={store} title="Queues" unit="slots used of all" column="queue" rows={rows} none="There is no queue." />;
}

function Rows({ store, title, unit, column, rows, none }: {
  store: CockpitStore; title: string; unit: string; column: string; rows: IRow[]; none: string;
}) {
  const [all, setAll] = useState(false);
  const chosen = valuesOf(store.filter.value, column);
  const shown = all ? rows : rows.slice(0, SHOWN);
  return (
    <section class="gcs-tile" aria-label={title.toLowerCase()}>
      <h3>{title} <span class="gcs-unit">{unit}</span></h3>
      {rows.length === 0 && <p class="gcs-dim">{none}</p>}
      <ul class="gcs-bars">
        {shown.map(row => {
          const content = (
            <>
              <span class="gcs-bar-name">{row.name}</span>{' '}
              <Bar parts={row.parts} />
              <span class="gcs-bar-figure">{row.figure}</span>{' '}
              {row.beside !== undefined && <span class="gcs-bar-beside">{row.beside}</span>}
            </>
          );
          const look = row.colour === undefined ? {} : { '--gcs-own': row.colour };
          return (
            <li key={row.name} style={look}>
              {row.name === '…'
                ? <span class="gcs-bar-row" title={`all others: ${row.said}`}>{content}</span>
                : (
                  <button
                    type="button"
                    class="gcs-bar-row"
                    aria-pressed={chosen.includes(row.name)}
                    title={`${row.name}: ${row.said}`}
                    onClick={() => { store.narrow(column, row.name); }}
                  >
                    {content}
                  </button>
                )}
            </li>
          );
        })}
      </ul>
      {rows.length > SHOWN && (
        <button type="button" class="gcs-button gcs-link" aria-expanded={all} onClick={() => { setAll(!all); }}>
          {all ? 'Show fewer' : `${rows.length - SHOWN} more`}
        </button>
      )}
    </section>
  );
}
