// How far reading has come, with its rate and the time left; stopping, and going on.
import { formatCount, formatMemory } from '../card/figures';
import { duration } from '../face/clock';
import { Press } from '../face/parts';
import type { IIngest } from '../protocol/explorer_messages';
import type { ExplorerStore } from './store';

export function IngestBar({ store }: { store: ExplorerStore }) {
  const ingest = store.ingest.value;
  if (ingest === null || ingest.state === 'done') {
    return null;
  }
  const share = ingest.bytes_total > 0 ? Math.min(1, ingest.bytes_done / ingest.bytes_total) : 0;
  const off = store.live.value ? '' : store.host.gone;
  if (ingest.state === 'reading') {
    return (
      <div class="gcs-ingest">
        <div
          class="gcs-ingest-bar" role="progressbar" aria-label="reading records" aria-valuemin={0} aria-valuemax={100}
          aria-valuenow={Math.round(100 * share)} aria-valuetext={figuresOf(ingest, share)}
        >
          <span style={{ width: `${(100 * share).toFixed(2)}%` }} />
        </div>
        <span class="gcs-ingest-words"><b>{ingest.message === '' ? 'Reading records' : ingest.message}</b> {figuresOf(ingest, share)}</span>
        <Press label="Stop" title="What was read is kept" off={off} onPress={() => { store.connection.send({ kind: 'cancel' }); }} />
      </div>
    );
  }
  const failed = ingest.state === 'failed';
  return (
    <div class={`gcs-band ${failed ? 'gcs-band-failed' : 'gcs-band-stale'}`} role={failed ? 'alert' : 'status'}>
      <span>
        <b>{failed ? 'Reading the records failed.' : `Reading was stopped at ${Math.round(100 * share)}%.`}</b>{' '}
        {ingest.message} {failed ? '' : `The figures are of the ${formatCount(ingest.records)} records that were read.`}
      </span>
      <Press label={failed ? 'Try again' : 'Go on'} off={off} onPress={() => { store.connection.send({ kind: 'refresh' }); }} />
    </div>
  );
}

function figuresOf({ bytes_done, bytes_total, records, rejects, rate, left }: IIngest, share: number): string {
  return [
    bytes_total > 0 ? `${Math.round(100 * share)}% of ${formatMemory(bytes_total)}` : formatMemory(bytes_done),
    `${formatCount(records)} records`,
    rejects > 0 ? `${formatCount(rejects)} not readable` : '',
    rate > 0 ? `${formatMemory(rate)}/s` : '',
    left === null ? '' : `${duration(left)} left`
  ].filter(one => one !== '').join(' · ');
}
