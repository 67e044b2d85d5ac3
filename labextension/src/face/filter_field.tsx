// The filter box of the grids, as the one filter of a whole page.
import { useEffect, useRef } from 'preact/hooks';

import { FilterBox } from '../grid/filter_box';
import type { IFilterError, IFilterWord } from '../protocol/messages';

interface IFilterField {
  words: IFilterWord[] | undefined;
  text: string;
  error: IFilterError | null;
  placeholder?: string;
  onChange: (text: string) => void;
  /** Told how the field is given the focus. */
  onReady: (focus: () => void) => void;
}

export function FilterField({ words, text, error, placeholder, onChange, onReady }: IFilterField) {
  const place = useRef<HTMLDivElement>(null);
  const box = useRef<FilterBox | null>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  useEffect(() => {
    const made = new FilterBox({
      label: 'filter of everything that is shown',
      words: [],
      change: written => { changed.current(written); },
      ...(placeholder === undefined ? {} : { placeholder })
    });
    box.current = made;
    place.current?.append(made.node);
    return () => { made.dispose(); };
  }, []);
  useEffect(() => { box.current?.setWords(words ?? []); }, [words]);
  useEffect(() => { box.current?.set(text); }, [text]);
  useEffect(() => { box.current?.setError(error); }, [error, text]);
  useEffect(() => { onReady(() => { box.current?.focus(); }); }, []);
  return <div class="gcs-filter-place" ref={place} />;
}
