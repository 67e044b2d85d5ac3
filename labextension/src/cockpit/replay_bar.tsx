// The slider over the recorded times: past moments of the whole cockpit.
import { useEffect, useRef, useState } from 'preact/hooks';

import { duration, timeOfDay } from '../face/clock';
import { BACK, FORTH, IconButton, PAUSE, PLAY, Press } from '../face/parts';
import type { CockpitStore } from './store';

const STEP_MILLISECONDS = 800;
/** A slider that is drawn asks for the place where it rests. */
const REST_MILLISECONDS = 120;
const TICKS = 6;

export function ReplayBar({ store }: { store: CockpitStore }) {
  const replay = store.overview.value?.replay;
  const times = replay?.times ?? [];
  const shown = replay?.at ?? null;
  const [place, setPlace] = useState(times.length);
  const [playing, setPlaying] = useState(false);
  const resting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const moving = useRef(false);
  const now = store.now.value;

  // What the host shows is the truth, unless the slider is just being moved.
  useEffect(() => {
    if (!moving.current) {
      setPlace(shown === null ? times.length : nearest(times, shown));
    }
  }, [shown, times.length]);
  useEffect(() => () => { clearTimeout(resting.current); }, []);

  const go = (to: number) => {
    const target = Math.max(0, Math.min(times.length, to));
    moving.current = true;
    setPlace(target);
    clearTimeout(resting.current);
    resting.current = setTimeout(() => {
      moving.current = false;
      store.replay(times[target] ?? null);
    }, REST_MILLISECONDS);
  };
  useEffect(() => {
    if (!playing) {
      return undefined;
    }
    const timer = setTimeout(() => {
      go(place + 1);
      setPlaying(place + 1 < times.length);
    }, STEP_MILLISECONDS);
    return () => { clearTimeout(timer); };
  }, [playing, place]);

  if (times.length === 0) {
    return <div class="gcs-replay"><span class="gcs-dim">Nothing is recorded yet. {replay?.kept ?? ''}</span></div>;
  }
  const at = times[place];
  const said = at === undefined ? 'now, live' : `${timeOfDay(at, now, true)}, ${duration(now - at)} ago`;
  const gone = store.live.value ? '' : store.host.gone;
  const play = () => {
    if (!playing && place >= times.length) {
      go(0);
    }
    setPlaying(!playing);
  };
  return (
    <div class="gcs-replay" role="group" aria-label="replay" data-lm-suppress-shortcuts="true">
      <div class="gcs-replay-buttons">
        <IconButton label="One step back" path={BACK} off={gone} onPress={() => { setPlaying(false); go(place - 1); }} />
        <IconButton label={playing ? 'Pause' : 'Play'} path={playing ? PAUSE : PLAY} off={gone} onPress={play} />
        <IconButton label="One step forward" path={FORTH} off={gone} onPress={() => { setPlaying(false); go(place + 1); }} />
      </div>
      <div class="gcs-slider">
        <input
          type="range"
          min={0}
          max={times.length}
          step={1}
          value={place}
          disabled={gone !== ''}
          aria-label="moment that is shown"
          aria-valuetext={said}
          onInput={event => { setPlaying(false); go(Number(event.currentTarget.value)); }}
        />
        <div class="gcs-ticks" aria-hidden="true">
          {ticksOf(times, now).map(([share, text]) => <span key={share} style={{ left: `${100 * share}%` }}>{text}</span>)}
          <span style={{ left: '100%' }}>now</span>
        </div>
      </div>
      <output class="gcs-moment">{said}</output>
      <Press label="Live" pressed={shown === null} off={gone} onPress={() => { setPlaying(false); go(times.length); }} />
      <span class="gcs-dim gcs-kept">{replay?.kept ?? ''}</span>
    </div>
  );
}

function nearest(times: readonly number[], time: number): number {
  const place = times.findIndex(one => one >= time);
  return place < 0 ? times.length - 1 : place;
}

/** A few of the times in words, with their place on the slider; the last place is "now". */
function ticksOf(times: readonly number[], now: number): [number, string][] {
  const count = Math.min(TICKS, times.length);
  const seconds = (times.at(-1) ?? 0) - (times[0] ?? 0) < TICKS * 120;
  const ticks = Array.from({ length: count }, (_, tick): [number, string] => {
    const place = Math.floor((tick * times.length) / count);
    return [place / times.length, timeOfDay(times[place] ?? 0, now, seconds)];
  });
  return ticks.filter(([, said], tick) => said !== ticks[tick - 1]?.[1]);
}
