// Bands across the whole cockpit, where what it shows is not what the cluster does now.
import { duration, timeOfDay } from '../face/clock';
import { sentence } from '../face/host_words';
import { Press } from '../face/parts';
import type { CockpitStore } from './store';

export function Bands({ store }: { store: CockpitStore }) {
  const overview = store.overview.value;
  const at = store.replaying.value;
  const now = store.now.value;
  const bands = [];
  if (!store.live.value) {
    const last = overview === null ? '' : ` (${timeOfDay(overview.time, now)})`;
    bands.push(
      <div class="gcs-band gcs-band-gone" key="gone">
        <span><b>{sentence(store.host.gone)}: this is what it last said{last}.</b> Jobs go on without it. {store.host.again('to see the cluster live')}</span>
      </div>
    );
  }
  if (at !== null) {
    bands.push(
      <div class="gcs-band gcs-band-past" key="past">
        <span><b>Showing {timeOfDay(at, now, true)}, {duration(now - at)} ago.</b> Nothing here is live; actions are off.</span>
        <Press label="Back to live" onPress={() => { store.replay(null); }} />
      </div>
    );
  } else if (store.live.value && overview !== null && overview.stale_since > 0) {
    bands.push(
      <div class="gcs-band gcs-band-stale" key="stale">
        <span>
          <b>Stale since {timeOfDay(overview.stale_since, now)}: the cluster does not answer.</b>{' '}
          {ended(overview.error)} It is asked again every {duration(overview.interval)}.
        </span>
      </div>
    );
  }
  return <>{bands}</>;
}

/** The system's own words, told apart from what follows. */
function ended(text: string): string {
  return text === '' || /[.!?…]$/.test(text) ? text : `${text}.`;
}
