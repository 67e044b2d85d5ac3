// Which cluster and how many records it is, what can be taken out of it, and what it is narrowed to.
import { formatCount } from '../card/figures';
import { FilterField } from '../face/filter_field';
import { BACK, CROSS, Icon } from '../face/parts';
import { termsOf, withoutTerm } from '../grid/filter_terms';
import { CodeButton } from './code_dialog';
import { ExportButton } from './export_menu';
import { PeriodPicker } from './period_picker';
import { periodInWords, presetOf } from './periods';
import type { ExplorerStore } from './store';

export function Head({ store, id }: { store: ExplorerStore; id: string }) {
  const welcome = store.welcome.value;
  const { filter } = store.state.value;
  return (
    <header class="gcs-face-head">
      <div class="gcs-line">
        <h2 class="gcs-title">{(welcome?.cluster ?? '') === '' ? 'Accounting' : `Accounting of ${welcome?.cluster ?? ''}`}</h2>
        <span class="gcs-dim gcs-system">{welcome?.system ?? ''}</span>
        <Records store={store} />
        <span class="gcs-space" />
        <ExportButton store={store} />
        <CodeButton store={store} id={id} />
      </div>
      <PeriodPicker store={store} id={id} />
      <div class="gcs-line gcs-narrow-line">
        <FilterField
          words={welcome?.words} text={filter} error={store.filterError.value} placeholder="filter: owner:alice failed>0 slots>4 name~fit"
          onChange={text => { store.narrow({ filter: text }); }} onReady={focus => { store.focusFilter = focus; }}
        />
        <Matching store={store} />
      </div>
      <Chips store={store} />
    </header>
  );
}

function Records({ store }: { store: ExplorerStore }) {
  const welcome = store.welcome.value;
  if (welcome === null) {
    return <span class="gcs-dim">connecting…</span>;
  }
  const ingest = store.ingest.value;
  const records = ingest?.records === undefined ? welcome.records : Math.max(welcome.records, ingest.records);
  const rejects = Math.max(welcome.rejects, ingest?.rejects ?? 0);
  return (
    <span class="gcs-dim">
      {formatCount(records)} {records === 1 ? 'record' : 'records'}
      {rejects > 0 && (
        <span class="gcs-old" title="accounting.rejects() shows these lines, with where they stand and why"> · {formatCount(rejects)} lines not readable</span>
      )}
    </span>
  );
}

function Matching({ store }: { store: ExplorerStore }) {
  const shown = store.shown.value;
  const { matching, period } = shown ?? { matching: 0, period: 0 };
  return (
    <span class="gcs-matching gcs-dim">
      {shown === undefined ? '' : matching === period ? `${formatCount(period)} in the period` : `${formatCount(matching)} of ${formatCount(period)} in the period`}
    </span>
  );
}

/** All that narrows, each to take away; always there, so that the page below stays where it is. */
function Chips({ store }: { store: ExplorerStore }) {
  const { filter, lasso, since, until } = store.state.value;
  const welcome = store.welcome.value;
  const clock = store.clock.value;
  const terms = termsOf(filter);
  const byHand = (since !== null || until !== null) && presetOf({ since, until }, welcome?.span?.[1] ?? Date.now() / 1000, clock) === undefined;
  const narrowed = terms.length > 0 || lasso !== null;
  return (
    <div class="gcs-chips gcs-explorer-chips" role="group" aria-label="narrowed to">
      <button
        type="button" class="gcs-button gcs-with-icon" title="One step back: the filter and the period as they were before" onClick={() => { store.stepBack(); }}
        {...(store.steps.value === 0 ? { 'aria-disabled': 'true', 'aria-description': 'there is no step back' } : {})}
      >
        <Icon path={BACK} />Back
      </button>
      {byHand && <Chip text={periodInWords({ since, until }, welcome?.span ?? null, clock)} onPress={() => { store.narrow({ since: null, until: null }); }} />}
      {terms.map(term => <Chip key={`${term.start}${term.text}`} text={term.text} onPress={() => { store.narrow({ filter: withoutTerm(filter, term) }); }} />)}
      {lasso !== null && <Chip text="jobs drawn around" onPress={() => { store.narrow({ lasso: null }); }} />}
      {(narrowed || byHand)
        ? (
          <button type="button" class="gcs-button" title="All records, without a filter" onClick={event => { leave(event.currentTarget); store.reset(); }}>
            Reset
          </button>
        )
        : <span class="gcs-dim">Nothing is narrowed: click a figure, a legend or a place on an axis, or drag over time.</span>}
    </div>
  );
}

/** A button that goes away with its press leaves the focus to the first of its line. */
function leave(button: HTMLElement): void {
  button.parentElement?.querySelector('button')?.focus();
}

function Chip({ text, onPress }: { text: string; onPress: () => void }) {
  return (
    <button type="button" class="gcs-chip" aria-label={`Take away ${text}`} onClick={event => { leave(event.currentTarget); onPress(); }}>
      {text}<Icon path={CROSS} />
    </button>
  );
}
