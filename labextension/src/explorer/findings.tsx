// What stands out in the data, each with a press that narrows to it where it is seen best.
import { useState } from 'preact/hooks';

import { Icon } from '../face/parts';
import type { IFinding } from '../protocol/explorer_messages';
import type { ExplorerStore } from './store';
import { holds } from './terms';

const SHOWN = 3;
const FLAG = 'M4 14V2.5M4 3h8.2l-2 2.8 2 2.8H4';

/** It is always there, so that what stands below it stays where it is. */
export function Findings({ store, id }: { store: ExplorerStore; id: string }) {
  const [all, setAll] = useState(false);
  const found = store.findings.value;
  const told = found ?? [];
  const more = told.length - SHOWN;
  return (
    <section class="gcs-findings" aria-labelledby={`${id}-findings`}>
      <h3 id={`${id}-findings`}><Icon path={FLAG} />Stands out</h3>
      {told.length === 0
        ? <span class="gcs-dim">{found === null ? (store.live.value ? 'looking…' : '') : 'Nothing in what is shown.'}</span>
        : (
          <ul>
            {(all ? told : told.slice(0, SHOWN)).map(finding => <li key={finding.text}><Finding store={store} finding={finding} id={id} /></li>)}
            {more > 0 && (
              <li>
                <button type="button" class="gcs-button gcs-link" aria-expanded={all} onClick={() => { setAll(!all); }}>
                  {all ? 'show fewer' : `and ${more} more`}
                </button>
              </li>
            )}
          </ul>
        )}
    </section>
  );
}

function Finding({ store, finding, id }: { store: ExplorerStore; finding: IFinding; id: string }) {
  const { text, term, tab } = finding;
  const there = holds(store.state.value.filter, term);
  const where = store.welcome.value?.tabs.find(one => one.name === tab)?.label ?? tab;
  const does = there ? `Take away ${term}` : [`Show it in ${where}`, term].filter(one => one !== '').join(', narrowed to ');
  return (
    <button
      type="button" class="gcs-finding" {...(term === '' ? {} : { 'aria-pressed': there })} title={does}
      onClick={event => {
        store.follow(finding);
        if (event.detail === 0) {
          // By a key: the finding may go, for it stands out no more among its own jobs.
          document.getElementById(`${id}-tab-${tab}`)?.focus();
        }
      }}
    >
      {text}
    </button>
  );
}
