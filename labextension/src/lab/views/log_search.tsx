// The search in a log: the server looks through all of it, the page goes from match to match.
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef, useState } from 'preact/hooks';

import { formatCount } from '../../card/figures';
import { wordsOf } from '../../face/connection';
import { BACK, FORTH, IconButton } from '../../face/parts';
import type { ILogMatches } from '../../protocol/rest';
import { begun, extended, type IFound, type IMatches, MOST_MATCHES, NOTHING_FOUND, stepped } from './log_found';

/** While somebody writes, the search waits for this rest. */
const REST_MILLISECONDS = 300;

interface ILogSearch {
  id: string;
  trans: TranslationBundle;
  live: boolean;
  total: number;
  ask: (query: Record<string, string | number>) => Promise<ILogMatches>;
  onFound: (found: IFound) => void;
}

export function LogSearch({ id, trans, live, total, ask, onFound }: ILogSearch) {
  const [text, setText] = useState('');
  const [matches, setMatches] = useState<IMatches | null>(null);
  const [trouble, setTrouble] = useState('');
  const [asking, setAsking] = useState(false);
  /** Grows with each question: an answer to an older one is left. */
  const last = useRef(0);

  const question = (query: Record<string, string | number>, then: (told: ILogMatches) => void) => {
    last.current += 1;
    const mine = last.current;
    setAsking(true);
    ask(query).then(
      told => {
        if (mine === last.current) {
          setAsking(false);
          setTrouble('');
          then(told);
        }
      },
      (why: unknown) => {
        if (mine === last.current) {
          setAsking(false);
          setTrouble(wordsOf(why));
        }
      }
    );
  };
  const stand = (next: IMatches) => {
    setMatches(next);
    onFound({ text: next.text, line: next.lines[next.at] ?? -1 });
  };
  useEffect(() => {
    if (text === '') {
      last.current += 1;
      setMatches(null);
      setTrouble('');
      setAsking(false);
      onFound(NOTHING_FOUND);
      return undefined;
    }
    const timer = setTimeout(() => { question({ text, limit: MOST_MATCHES }, told => { stand(begun(text, told)); }); }, REST_MILLISECONDS);
    return () => { clearTimeout(timer); };
  }, [text]);
  useEffect(() => () => { last.current = -1; }, []);

  const go = (by: 1 | -1) => {
    if (matches === null || asking) {
      return;
    }
    const next = stepped(matches, by);
    const onward = (told: ILogMatches) => {
      const longer = extended(matches, told);
      stand(stepped(longer, by) ?? longer);
    };
    const end = matches.lines.at(-1);
    if (next === null && end !== undefined) {
      question({ text, after: end, limit: MOST_MATCHES }, onward);
    } else if (live && by > 0 && end !== undefined && matches.at === matches.lines.length - 1) {
      // Before it goes round to the beginning: what was written since.
      question({ text, after: end, limit: MOST_MATCHES }, onward);
    } else if (next !== null) {
      stand(next);
    }
  };
  return (
    <span class="jp-gcs-lab-log-search" role="search" data-lm-suppress-shortcuts="true">
      <input
        id={`${id}-search`} type="search" class="jp-mod-styled" placeholder={trans.__('Search the whole log')} aria-label={trans.__('search the whole log')}
        value={text} disabled={total === 0 && text === ''} spellcheck={false} autocomplete="off"
        onInput={event => { setText(event.currentTarget.value); }}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            event.preventDefault();
            go(event.shiftKey ? -1 : 1);
          } else if (event.key === 'Escape' && text !== '') {
            event.preventDefault();
            event.stopPropagation();
            setText('');
          }
        }}
      />
      <IconButton label={trans.__('Match before')} path={BACK} off={offFor(matches, trans)} onPress={() => { go(-1); }} />
      <IconButton label={trans.__('Next match')} path={FORTH} off={offFor(matches, trans)} onPress={() => { go(1); }} />
      <span class={trouble === '' ? 'gcs-dim' : 'gcs-alarm-text'} role="status">{trouble === '' ? wordsFor(matches, asking, trans) : trouble}</span>
    </span>
  );
}

function offFor(matches: IMatches | null, trans: TranslationBundle): string {
  return (matches?.lines.length ?? 0) > 0 ? '' : trans.__('nothing is found');
}

function wordsFor(matches: IMatches | null, asking: boolean, trans: TranslationBundle): string {
  if (asking) {
    return trans.__('searching…');
  }
  if (matches === null) {
    return '';
  }
  if (matches.lines.length === 0) {
    return trans.__('no line');
  }
  const count = `${formatCount(matches.lines.length)}${matches.more ? '+' : ''}`;
  return trans.__('%1 of %2', formatCount(matches.at + 1), count);
}
