// All facts of a job: what the cluster tells of it, and what its cell was.
import type { TranslationBundle } from '@jupyterlab/translation';

import { CellSource, Facts, Pairs, Reasons, Timeline, Usage } from '../../cockpit/drawer_sections';
import type { IDetails } from '../../protocol/messages';
import type { IJobFacts } from '../../protocol/rest';
import type { JobStore } from './job_store';

export function FactsTab({ store, trans }: { store: JobStore; trans: TranslationBundle }) {
  const details = store.details.value;
  const facts = store.facts.value;
  const known = details !== null && (!details.gone || details.name !== '');
  return (
    <div class="jp-gcs-lab-facts">
      {details !== null && details.trouble !== '' && <p class="gcs-alarm-text">{details.trouble}</p>}
      {!known && facts === null && <p class="gcs-dim" role="status">{trans.__('Asking the cluster…')}</p>}
      {known && <Reasons reasons={details.reasons} />}
      {facts !== null && facts.outcome !== '' && <Pairs title={trans.__('Outcome')} rows={endOf(facts, trans)} />}
      {known && <Usage usage={details.usage} />}
      {known && details.requests.length > 0 && <Pairs title={trans.__('Requests')} rows={details.requests} />}
      {known && details.timeline.length > 0
        ? <Timeline timeline={details.timeline} now={store.cockpit.now.value} />
        : facts !== null && <Timeline timeline={timesOf(facts, trans)} now={store.cockpit.now.value} />}
      <CellSource cell={cellOf(facts, details)} />
      {known && <Facts facts={details.facts} />}
    </div>
  );
}

function endOf({ outcome, exit_status: exit }: IJobFacts, trans: TranslationBundle): [string, string][] {
  return [[trans.__('How it ended'), outcome], ...(exit === null ? [] : [[trans.__('Exit status'), String(exit)] as [string, string]])];
}

function timesOf({ submitted, started, ended }: IJobFacts, trans: TranslationBundle): IDetails['timeline'] {
  const times = [[submitted, trans.__('submitted')], [started, trans.__('started')], [ended, trans.__('ended')]] as const;
  return times.flatMap(([time, what]) => (time === null ? [] : [{ time, what }]));
}

function cellOf(facts: IJobFacts | null, details: IDetails | null): IDetails['cell'] {
  if (facts !== null && facts.source !== '') {
    const { notebook, execution_count, source, folder } = facts;
    return { notebook, execution_count, source, folder };
  }
  return details?.cell ?? null;
}
