// What the open tab shows: its main figures as words, then its charts. While newer ones are made, the old stay, paler.
import { formatCount } from '../card/figures';
import { sentence } from '../face/host_words';
import { Press } from '../face/parts';
import type { ITabFigures } from '../protocol/explorer_messages';
import { Figure } from './figure';
import { RatesEditor } from './rates_editor';
import type { ExplorerStore } from './store';

export function TabPanel({ store, id }: { store: ExplorerStore; id: string }) {
  const { tab } = store.state.value;
  const shown = store.shown.value;
  const waiting = store.waiting.value;
  const help = store.welcome.value?.tabs.find(one => one.name === tab)?.help ?? '';
  return (
    <div
      id={`${id}-panel`} class={`gcs-tab-panel${waiting ? ' gcs-busy' : ''}`} role="tabpanel" aria-labelledby={`${id}-tab-${tab}`} aria-busy={waiting}
    >
      <p class="gcs-tab-help gcs-dim">{help}</p>
      <div class="gcs-computing" aria-hidden="true" />
      {shown === undefined
        ? <Awaited store={store} />
        : (
          <>
            <Facts facts={shown.facts} />
            {tab === 'cost' && <RatesEditor store={store} id={id} />}
            {shown.empty !== '' && <Empty store={store} shown={shown} />}
            <div class="gcs-figures">
              {shown.figures.map(figure => <Figure key={`${tab} ${figure.name}`} store={store} told={figure} id={`${id}-${tab}-${figure.name}`} />)}
            </div>
          </>
        )}
    </div>
  );
}

function Facts({ facts }: { facts: ITabFigures['facts'] }) {
  if (facts.length === 0) {
    return null;
  }
  return (
    <dl class="gcs-fact-row">
      {facts.map(({ label, value, help, bad = false }) => (
        <div key={label} class={bad ? 'gcs-bad' : ''} title={help}>
          <dt>{label}</dt>
          <dd>{bad && <span aria-hidden="true">▲ </span>}{value}<span class="gcs-spoken">{bad ? ' (stands out)' : ''}. {help}</span></dd>
        </div>
      ))}
    </dl>
  );
}

function Empty({ store, shown }: { store: ExplorerStore; shown: ITabFigures }) {
  const { filter, since, until, lasso } = store.state.value;
  const narrowed = filter !== '' || since !== null || until !== null || lasso !== null;
  return (
    <div class="gcs-empty">
      <p>{shown.empty}</p>
      {shown.matching === 0 && narrowed && (
        <div class="gcs-line">
          {filter !== '' && <Press label="Clear the filter" onPress={() => { store.narrow({ filter: '' }); }} />}
          {(since !== null || until !== null) && (
            <Press label={`All ${formatCount(store.welcome.value?.records ?? 0)} records`} onPress={() => { store.narrow({ since: null, until: null }); }} />
          )}
        </div>
      )}
    </div>
  );
}

/** In the place of figures that have not come yet: about as large as they will be. */
function Awaited({ store }: { store: ExplorerStore }) {
  if (!store.live.value) {
    return <div class="gcs-empty">{sentence(store.host.gone)}: it did not tell this view.</div>;
  }
  return (
    <div class="gcs-awaited">
      <span class="gcs-spoken">The figures are being made.</span>
      <div class="gcs-fact-row"><div /><div /><div /><div /></div>
      <div class="gcs-figures"><div /><div /><div /></div>
    </div>
  );
}
