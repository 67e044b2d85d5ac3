// One figure: drawn by the chart library, narrowed by a click, a brush or a lasso, saved as a picture.
import { useEffect, useRef, useState } from 'preact/hooks';

import { chartLibrary, type IDrawnChart, type IFigureEvents } from '../face/chart_library';
import { wordsOf } from '../face/connection';
import { MenuButton } from '../face/menu_button';
import { Press } from '../face/parts';
import type { IMenuItem } from '../grid/popup_menu';
import type { IExplorerFigure } from '../protocol/explorer_messages';
import { groundItems, savePictures } from './export_menu';
import { figureOf } from './figure_colours';
import { inWords, pixelsOf } from './figure_facts';
import { fromAxis } from './periods';
import type { ExplorerStore } from './store';

/** Entries of the menu that stands for clicks on the figure. */
const MOST_TERMS = 40;

export function Figure({ store, told, id }: { store: ExplorerStore; told: IExplorerFigure; id: string }) {
  const terms = Object.entries(told.terms);
  const narrowing = (): IMenuItem[] => terms.slice(0, MOST_TERMS).map(([name, term]) => ({ label: name, press: () => { store.click([term]); } }));
  const saving = (): (IMenuItem | null)[] => [
    { label: 'Save as PNG', press: () => { void savePictures(store, [told.name], 'png'); } },
    { label: 'Save as SVG', press: () => { void savePictures(store, [told.name], 'svg'); } }, null,
    ...groundItems(store)
  ];
  return (
    <figure class={`gcs-figure-card${told.wide ? ' gcs-wide' : ''}`} aria-labelledby={id}>
      <figcaption>
        <div class="gcs-line">
          <h3 id={id}>{told.title}</h3>
          <span class="gcs-space" />
          {told.lasso && <span class="gcs-dim gcs-hint">drag around jobs</span>}
          {told.brush && <span class="gcs-dim gcs-hint">drag over a time</span>}
          {terms.length > 0 && <MenuButton label="Narrow" name={`${told.title}: narrow to`} title="Narrow to a part of this figure" items={narrowing} />}
          <MenuButton label="Save" name={`${told.title}: save the picture`} title="Save this figure as a picture" items={saving} />
        </div>
        <p class="gcs-dim">{told.caption}</p>
      </figcaption>
      <Plot store={store} told={told} pixels={pixelsOf(told)} />
    </figure>
  );
}

function Plot({ store, told, pixels }: { store: ExplorerStore; told: IExplorerFigure; pixels: number }) {
  const node = useRef<HTMLDivElement>(null);
  const drawn = useRef<IDrawnChart | null>(null);
  const latest = useRef(told);
  latest.current = told;
  const [trouble, setTrouble] = useState('');
  const [tries, setTries] = useState(0);
  const dark = store.dark.value;
  const ranks = store.ranks.value;
  const { lasso } = store.state.value;
  const nothing = told.figure.data.length === 0;
  const make = () => figureOf(latest.current, store.state.peek(), store.ranks.peek(), store.dark.peek());

  useEffect(() => {
    if (nothing || node.current === null) {
      return undefined;
    }
    const place = node.current;
    let over = false;
    const begin = async () => {
      try {
        const draw = await chartLibrary(async () => (await store.connection.ask('module', { name: 'chart' })).source);
        if (!over) {
          const first = latest.current;
          const made = await draw(place, make(), eventsOf(store, latest), store.dark.peek());
          drawn.current = made;
          if (latest.current !== first) {
            // Newer ones came while it was drawn.
            made.update(make(), store.dark.peek());
          }
          setTrouble('');
        }
      } catch (why) {
        if (!over) {
          setTrouble(`The figure cannot be drawn here: ${wordsOf(why)}`);
        }
      }
    };
    void begin();
    store.pictures.set(told.name, (format, onDark) => {
      const { current } = drawn;
      const shown = figureOf(latest.current, store.state.peek(), store.ranks.peek(), onDark);
      return current === null ? Promise.reject(new Error('it is not drawn yet')) : current.picture(shown, format, onDark, latest.current.title);
    });
    return () => {
      over = true;
      store.pictures.delete(told.name);
      drawn.current?.dispose();
      drawn.current = null;
    };
  }, [nothing, tries]);
  useEffect(() => { drawn.current?.update(make(), dark); }, [told, ranks, dark, told.lasso ? lasso : null]);

  return (
    <>
      {trouble !== '' && <p class="gcs-alarm-text" role="alert">{trouble} <Press label="Try again" onPress={() => { setTries(tries + 1); }} /></p>}
      {nothing && <p class="gcs-empty gcs-dim">Nothing to draw.</p>}
      <div ref={node} class="gcs-plot" role="img" aria-label={inWords(told)} style={{ height: `${pixels}px` }} hidden={nothing} />
    </>
  );
}

function eventsOf(store: ExplorerStore, latest: { current: IExplorerFigure }): IFigureEvents {
  const { brush, lasso } = latest.current;
  return {
    leads: name => name in latest.current.terms,
    click: names => {
      // Of a cell of a heat map both of its places count.
      const terms = [...new Set(names.map(name => latest.current.terms[name]).filter(term => term !== undefined))];
      if (terms.length > 0) {
        store.click(terms);
      }
    },
    ...(brush
      ? {
        range: (from: string, to: string) => {
          const clock = store.clock.peek();
          const [since, until] = [fromAxis(from, clock), fromAxis(to, clock)];
          if (since !== null && until !== null && since < until) {
            store.narrow({ since: Math.floor(since), until: Math.ceil(until) });
          }
        }
      }
      : {}),
    ...(lasso ? { lasso: (around: { x: number[]; y: number[] } | null) => { store.narrow({ lasso: around }); } } : {})
  };
}
