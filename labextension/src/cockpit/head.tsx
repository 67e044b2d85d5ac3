// Which cluster it is, how fresh what is shown is, and the filter, which is the one truth of all narrowing.
import { duration, timeOfDay } from '../face/clock';
import { FilterField } from '../face/filter_field';
import { termsOf, withoutTerm } from '../grid/filter_terms';
import { CROSS, Choice, Icon, CLOCK } from '../face/parts';
import { formatCount } from '../card/figures';
import type { CockpitStore } from './store';

const WHOSE = [['all', 'All jobs'], ['mine', 'My jobs']] as const;

export function Head({ store, id, replayShown, onReplay }: { store: CockpitStore; id: string; replayShown: boolean; onReplay: () => void }) {
  const welcome = store.welcome.value;
  return (
    <header class="gcs-face-head">
      <div class="gcs-line">
        <h2 class="gcs-title">{welcome?.cluster ?? 'cluster'}</h2>
        <span class="gcs-dim">{welcome?.system ?? ''}</span>
        <Freshness store={store} />
        <span class="gcs-space" />
        <button type="button" class="gcs-button gcs-with-icon" aria-expanded={replayShown} onClick={onReplay}>
          <Icon path={CLOCK} />Replay
        </button>
        <Choice
          name={`${id}-whose`}
          label="whose jobs"
          options={WHOSE}
          value={store.mine.value ? 'mine' : 'all'}
          onChoose={whose => { store.setFilter(store.filter.value, whose === 'mine'); }}
        />
      </div>
      <div class="gcs-line gcs-narrow-line">
        <FilterField
          words={welcome?.words} text={store.filter.value} error={store.filterError.value}
          onChange={text => { store.setFilter(text); }} onReady={focus => { store.focusFilter = focus; }}
        />
        <Matching store={store} />
      </div>
      <Chips store={store} />
    </header>
  );
}

/** Longer without a word than a host is silent on an idle cluster. */
const SILENCE_SECONDS = 45;

function Freshness({ store }: { store: CockpitStore }) {
  const overview = store.overview.value;
  if (overview === null) {
    return <span class="gcs-fresh gcs-dim">connecting…</span>;
  }
  const now = store.now.value;
  if (!store.live.value) {
    return <span class="gcs-fresh gcs-old">{store.host.gone}</span>;
  }
  if (store.replaying.value !== null) {
    return <span class="gcs-fresh gcs-old">replay</span>;
  }
  if (overview.stale_since > 0) {
    return <span class="gcs-fresh gcs-old" title={overview.error}>stale since {timeOfDay(overview.stale_since, now)}</span>;
  }
  // While nothing changes the host speaks but twice a minute: that is no age.
  const age = now - overview.time;
  return (
    <span class="gcs-fresh gcs-dim" title={`asked every ${duration(overview.interval)}; told when something changes`}>
      <span class="gcs-live-dot" aria-hidden="true" />{age < SILENCE_SECONDS ? 'live' : `updated ${duration(age)} ago`}
    </span>
  );
}

function Matching({ store }: { store: CockpitStore }) {
  const overview = store.overview.value;
  if (overview === null) {
    return null;
  }
  const { jobs, running, waiting } = overview.matching;
  const narrowed = store.filter.value.trim() !== '' || store.mine.value;
  return (
    <span class="gcs-matching gcs-dim">
      {narrowed ? `${formatCount(jobs)} of ${jobsInWords(overview.jobs)}` : jobsInWords(jobs)}
      {' · '}{formatCount(running)} running · {formatCount(waiting)} waiting
    </span>
  );
}

function jobsInWords(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'job' : 'jobs'}`;
}

function Chips({ store }: { store: CockpitStore }) {
  const text = store.filter.value;
  const terms = termsOf(text);
  if (terms.length === 0) {
    return null;
  }
  return (
    <div class="gcs-chips" role="group" aria-label="narrowed to">
      {terms.map(term => (
        <button
          type="button"
          key={`${term.start}${term.text}`}
          class="gcs-chip"
          aria-label={`Take away ${term.text}`}
          onClick={() => { store.setFilter(withoutTerm(text, term)); }}
        >
          {term.text}<Icon path={CROSS} />
        </button>
      ))}
      {terms.length > 1 && <button type="button" class="gcs-button gcs-link" onClick={() => { store.setFilter(''); }}>Clear all</button>}
    </div>
  );
}
