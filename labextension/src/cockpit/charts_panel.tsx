// Charts over the recorded window: the host makes the figures, the page draws them.
import { useEffect, useRef, useState } from 'preact/hooks';

import type { IChart } from '../protocol/messages';
import { figureOf, inWords } from './chart_figure';
import { chartLibrary, type IDrawnChart } from '../face/chart_library';
import { sentence } from '../face/host_words';
import { Press } from '../face/parts';
import { wordsOf } from '../face/connection';
import type { CockpitStore } from './store';

export function ChartsPanel({ store, shown }: { store: CockpitStore; shown: boolean }) {
  const charts = store.welcome.value?.charts ?? [];
  const live = store.live.value;
  const names = charts.map(chart => chart.name).join(' ');
  useEffect(() => {
    if (!shown || !live || names === '') {
      return undefined;
    }
    store.connection.send({ kind: 'charts', names: names.split(' ') });
    return () => { store.connection.send({ kind: 'charts', names: [] }); };
  }, [shown, live, names]);
  return (
    <div class="gcs-charts" role="group" aria-label="charts" tabIndex={0}>
      {charts.map(({ name, label }) => (
        <figure key={name} class="gcs-chart">
          <figcaption>{label}</figcaption>
          <Chart store={store} chart={store.charts.value[name]} label={label} shown={shown} />
        </figure>
      ))}
    </div>
  );
}

function Chart({ store, chart, label, shown }: { store: CockpitStore; chart: IChart | undefined; label: string; shown: boolean }) {
  const node = useRef<HTMLDivElement>(null);
  const drawn = useRef<IDrawnChart | null>(null);
  const latest = useRef(chart);
  latest.current = chart;
  const [trouble, setTrouble] = useState('');
  const [tries, setTries] = useState(0);
  const dark = store.dark.value;
  const ranks = store.ranks.value;
  const known = chart !== undefined;

  useEffect(() => {
    if (!known || !shown || node.current === null) {
      return undefined;
    }
    const place = node.current;
    let over = false;
    const onClick = (names: string[]) => {
      const term = names.map(name => latest.current?.terms[name]).find(one => one !== undefined);
      const colon = term?.indexOf(':') ?? -1;
      if (term !== undefined && colon > 0) {
        store.narrow(term.slice(0, colon), term.slice(colon + 1).replace(/^"(.*)"$/, '$1'));
      }
    };
    const begin = async () => {
      try {
        const draw = await chartLibrary(async () => (await store.connection.ask('module', { name: 'chart' })).source);
        if (!over && latest.current !== undefined) {
          const made = await draw(place, figureOf(latest.current, store.ranks.peek(), store.dark.peek()), { click: onClick }, store.dark.peek());
          drawn.current = made;
          setTrouble('');
        }
      } catch (why) {
        if (!over) {
          setTrouble(`The chart cannot be drawn here: ${wordsOf(why)}`);
        }
      }
    };
    void begin();
    return () => {
      over = true;
      drawn.current?.dispose();
      drawn.current = null;
    };
  }, [known, shown, tries]);
  useEffect(() => {
    if (chart !== undefined) {
      drawn.current?.update(figureOf(chart, ranks, dark), dark);
    }
  }, [chart, ranks, dark]);

  return (
    <>
      {trouble !== '' && <p class="gcs-alarm-text" role="alert">{trouble} <Press label="Try again" onPress={() => { setTries(tries + 1); }} /></p>}
      {!known && <p class="gcs-empty gcs-dim">{store.live.value ? 'drawing…' : `${sentence(store.host.gone)}: it did not tell this chart.`}</p>}
      {chart?.figure.data.length === 0 && <p class="gcs-dim">Nothing to draw now.</p>}
      <div ref={node} class="gcs-plot" role="img" aria-label={chart === undefined ? label : `${label}: ${inWords(chart)}`} />
    </>
  );
}
