// The log of a job: all of it by windows, followed while it grows, searched by the server.
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';

import { formatCount } from '../../card/figures';
import { Choice } from '../../face/parts';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILogLines, LogStream } from '../../protocol/rest';
import type { JobStore } from './job_store';
import { LogLines } from './log_lines';
import { LogList } from './log_list';
import { LogRange } from './log_range';
import { LogSearch } from './log_search';
import { NOTHING_FOUND, type IFound } from './log_found';
import { useLookingAgain } from './looking_again';

const LOOK_MILLISECONDS = 1500;

interface ILogTab {
  store: JobStore;
  trans: TranslationBundle;
  id: string;
  shown: boolean;
}

/** Which of the job's texts; each has a view of its own. */
export function LogTab({ store, trans, id, shown }: ILogTab) {
  const streams = store.facts.value?.streams.map(one => one.stream) ?? [];
  const [chosen, setChosen] = useState<LogStream | null>(null);
  const first = streams[0];
  const told = store.details.value?.logs ?? [];
  // A job that is none of a cell has the scheduler's files alone.
  const usual: LogStream = store.facts.value === null || store.facts.value.kind === 'cell' || store.facts.value.kind === 'sweep' ? 'output' : 'stdout';
  const stream = chosen ?? first ?? usual;
  const offered: LogStream[] = [...new Set<LogStream>([...streams, ...(streams.length === 0 ? [usual] : []), ...told.map(log => log.stream), stream])];
  const names: Record<LogStream, string> = { output: trans.__('Output'), stdout: trans.__('stdout'), stderr: trans.__('stderr') };
  const task = store.task.value;
  return (
    <OneLog
      key={`${stream} ${task ?? ''}`} store={store} trans={trans} id={id} stream={stream} task={task} shown={shown}
      chooser={offered.length > 1
        ? <Choice name={`${id}-stream`} label={trans.__('which output')} options={offered.map(one => [one, names[one]] as const)} value={stream} onChoose={setChosen} />
        : <b>{names[stream]}</b>}
    />
  );
}

interface IOneLog extends ILogTab {
  stream: LogStream;
  task: number | null;
  chooser: preact.ComponentChild;
}

function OneLog({ store, trans, id, stream, task, shown, chooser }: IOneLog) {
  const place = useRef<HTMLDivElement>(null);
  const list = useRef<LogList | null>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [follow, setFollow] = useState(true);
  const [wrap, setWrap] = useState(false);
  const [found, setFound] = useState<IFound>(NOTHING_FOUND);
  const [chosen, setChosen] = useState<[number, number] | null>(null);
  const query = { stream, task: task ?? undefined };
  const ask = (first: number, count: number) => store.ask<ILogLines>('log', { ...query, first, count });
  const lines = useMemo(() => new LogLines(ask, () => { redraw(undefined); }), []);
  const seen = shown && store.cockpit.visible.value && store.cockpit.live.value;

  useLayoutEffect(() => {
    const made = new LogList(trans.__('%1 of job %2', stream, store.jobId), {
      seen: (first, end) => { lines.want(first, end); },
      atEnd: end => { setFollow(end); },
      choose: (line, more) => { setChosen(before => spanned(before, line, more)); }
    });
    list.current = made;
    place.current?.append(made.node);
    return () => {
      lines.dispose();
      made.dispose();
      made.node.remove();
    };
  }, []);
  useEffect(() => {
    list.current?.show({
      total: lines.total, line: number => lines.line(number), wrap, follow, search: found.text, current: found.line, chosen
    });
  });
  useEffect(() => {
    if (found.line >= 0) {
      setFollow(false);
      list.current?.reveal(found.line);
    }
  }, [found]);
  const look = async () => {
    await lines.look();
    // What has ended writes no more.
    return lines.live || lines.trouble !== '';
  };
  useLookingAgain({ seen, pause: LOOK_MILLISECONDS, look }, [store.over.value, store.round.value]);

  return (
    <div class="jp-gcs-lab-log-tab">
      <div class="gcs-toolbar" role="toolbar" aria-label={trans.__('log')}>
        {chooser}
        <LogSearch id={id} trans={trans} live={lines.live} total={lines.total} ask={more => store.ask('log/matches', { ...query, ...more })} onFound={setFound} />
        <span class="gcs-space" />
        <Tick label={trans.__('Wrap')} on={wrap} onChange={setWrap} />
        <Tick label={trans.__('Follow')} on={follow} onChange={setFollow} />
        <LogRange
          trans={trans} total={lines.total} chosen={chosen} ask={ask} note={store.cockpit.book}
          name={`job-${store.jobId}${task === null ? '' : `.${task}`}-${stream}.txt`} onChoose={setChosen}
        />
      </div>
      <div class="jp-gcs-lab-log-place" ref={place} data-lm-suppress-shortcuts="true" />
      <LogWords lines={lines} stream={stream} trans={trans} />
    </div>
  );
}

function Tick({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="jp-gcs-lab-tick">
      <input type="checkbox" checked={on} onChange={event => { onChange(event.currentTarget.checked); }} /> {label}
    </label>
  );
}

/** How much there is, or why there is nothing. */
function LogWords({ lines, stream, trans }: { lines: LogLines; stream: LogStream; trans: TranslationBundle }) {
  if (lines.trouble !== '') {
    return <p class="jp-gcs-lab-log-words-line gcs-alarm-text" role="alert">{lines.trouble}</p>;
  }
  if (!lines.known) {
    return <p class="jp-gcs-lab-log-words-line gcs-dim" role="status">{trans.__('Loading…')}</p>;
  }
  const growing = lines.live ? trans.__('it may grow') : '';
  const count = trans._n('%2 line', '%2 lines', lines.total, formatCount(lines.total));
  const nothing = lines.live ? trans.__('Nothing on %1 yet.', stream) : trans.__('Nothing was written to %1.', stream);
  const words = lines.total === 0 ? (lines.note === '' ? nothing : '') : [count, growing].filter(word => word !== '').join(', ');
  return <p class="jp-gcs-lab-log-words-line gcs-dim" role="status">{[words, lines.note].filter(word => word !== '').join(' · ')}</p>;
}

/** A second press on the only chosen line takes it away. */
function spanned(before: [number, number] | null, line: number, more: boolean): [number, number] | null {
  if (before !== null && more) {
    return [Math.min(before[0], line), Math.max(before[0], line)];
  }
  return before?.[0] === line && before[1] === line ? null : [line, line];
}
