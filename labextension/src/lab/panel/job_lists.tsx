// My jobs, and those that ended: two sections, one order for the arrow keys.
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

import { formatCount } from '../../card/figures';
import { StateMark } from '../../cockpit/state_mark';
import { Press } from '../../face/parts';
import type { IPanel } from '../../protocol/panel_messages';
import { JobRow } from './job_row';
import { stateWord } from './job_words';
import { useKeptFocus, walk } from './row_focus';
import type { IRow, PanelStore, SectionName } from './store';

export function JobLists({ store, panel }: { store: PanelStore; panel: IPanel }) {
  const { trans } = store.platform;
  const place = useRef<HTMLDivElement>(null);
  useKeptFocus(place, store.order.value, () => store.chosen.peek(), () => store.awaitsRows());
  const narrowed = store.filter.value !== '';
  const none = store.live.value.length === 0;
  return (
    <div class="jp-gcs-lab-lists" ref={place} onKeyDown={event => { walk(place.current, store.order.value, event); }}>
      {store.filterable.value && <Narrow store={store} />}
      <Section store={store} name="live" title={trans.__('My jobs')} beside={<Counts store={store} mine={panel.mine} />}>
        {none && <NoJobs store={store} />}
        {!none && narrowed && store.shownLive.value.length === 0 && <p class="jp-gcs-lab-none">{trans.__('No job of yours matches.')}</p>}
        <Rows store={store} rows={store.shownLive.value} label={trans.__('My jobs')} />
        {panel.more > 0 && (
          <p class="jp-gcs-lab-none">
            {trans._n('and %2 more', 'and %2 more', panel.more, formatCount(panel.more))}{' '}
            <Press label={trans.__('See all in the queue')} onPress={() => { store.platform.show('queue'); }} />
          </p>
        )}
      </Section>
      {store.recent.value.length > 0 && (
        <Section store={store} name="recent" title={trans.__('Recent')} beside={<span class="gcs-dim">{formatCount(store.recent.value.length)}</span>}>
          {narrowed && store.shownRecent.value.length === 0 && <p class="jp-gcs-lab-none">{trans.__('No recent job matches.')}</p>}
          <Rows store={store} rows={store.shownRecent.value} label={trans.__('Recent jobs')} />
        </Section>
      )}
    </div>
  );
}

function Rows({ store, rows, label }: { store: PanelStore; rows: IRow[]; label: string }) {
  return rows.length === 0
    ? null
    // Safari takes the meaning from a list without marks unless its role is said.
    : <ul class="jp-gcs-lab-jobs" role="list" aria-label={label}>{rows.map(row => <JobRow key={row.key} store={store} row={row} />)}</ul>;
}

function Section({ store, name, title, beside, children }: {
  store: PanelStore; name: SectionName; title: string; beside: ComponentChildren; children: ComponentChildren;
}) {
  const open = !store.folded.value.includes(name);
  const id = `jp-gcs-lab-section-${name}`;
  return (
    <section class="jp-gcs-lab-section" aria-labelledby={id}>
      <h3>
        <button type="button" aria-expanded={open} onClick={() => { store.fold(name); }}>
          <svg class="gcs-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M6 4l4 4-4 4" /></svg>
          <span id={id}>{title}</span>
        </button>
        {beside}
      </h3>
      {open && children}
    </section>
  );
}

/** Tasks of mine by state. */
function Counts({ store, mine }: { store: PanelStore; mine: IPanel['mine'] }) {
  const { trans } = store.platform;
  const counts: [string, number][] = [
    ['RUNNING', mine.running], ['SUSPENDED', mine.suspended], ['QUEUED', mine.pending], ['QUEUED_HELD', mine.held], ['ERROR', mine.error]
  ];
  return (
    <span class="jp-gcs-lab-counts">
      {counts.filter(([, count]) => count > 0).map(([state, count]) => (
        <span key={state} title={`${formatCount(count)} ${stateWord(state, trans)}`}>
          <StateMark state={state}>{formatCount(count)}<span class="gcs-spoken"> {stateWord(state, trans)}</span></StateMark>
        </span>
      ))}
    </span>
  );
}

function NoJobs({ store }: { store: PanelStore }) {
  const { trans } = store.platform;
  return (
    <div class="jp-gcs-lab-panel-hint">
      <p>{trans.__('You have no job here now.')}</p>
      <p class="gcs-dim">
        {trans.__('Begin a cell with the line below, or press “Run on cluster” in its toolbar. The job shows here by itself.')}
      </p>
      <code>%%gcs submit</code>
    </div>
  );
}

function Narrow({ store }: { store: PanelStore }) {
  const { trans } = store.platform;
  const words = trans.__('Find in my jobs');
  return (
    <input
      type="search" class="jp-gcs-lab-narrow" aria-label={words} placeholder={words} spellcheck={false} autocomplete="off"
      value={store.filter.value}
      onInput={event => { store.filter.value = event.currentTarget.value; }}
      onKeyDown={event => {
        if (event.key === 'Escape' && store.filter.value !== '') {
          event.preventDefault();
          store.filter.value = '';
        }
      }}
    />
  );
}
