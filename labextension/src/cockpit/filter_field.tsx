// The filter box of the grids, as the one filter of the whole cockpit.
import { useEffect, useRef } from 'preact/hooks';

import { FilterBox } from '../grid/filter_box';
import type { CockpitStore } from './store';

export function FilterField({ store }: { store: CockpitStore }) {
  const place = useRef<HTMLDivElement>(null);
  const box = useRef<FilterBox | null>(null);
  const words = store.welcome.value?.words;
  const text = store.filter.value;
  const error = store.filterError.value;
  useEffect(() => {
    const made = new FilterBox({
      label: 'filter of everything that is shown',
      words: [],
      change: written => { store.setFilter(written); }
    });
    box.current = made;
    place.current?.append(made.node);
    return () => { made.dispose(); };
  }, []);
  useEffect(() => { box.current?.setWords(words ?? []); }, [words]);
  useEffect(() => { box.current?.set(text); }, [text]);
  useEffect(() => { box.current?.setError(error); }, [error, text]);
  useEffect(() => { store.focusFilter = () => { box.current?.focus(); }; }, []);
  return <div class="gcs-filter-place" ref={place} />;
}
