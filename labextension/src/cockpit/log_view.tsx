// The end of what a job writes, live while it is seen.
import { useEffect, useRef, useState } from 'preact/hooks';

import type { IDetails } from '../protocol/messages';
import { LogBuffer } from './log_buffer';
import { wordsOf } from '../face/connection';
import type { CockpitStore } from './store';

const PAUSE_MILLISECONDS = 2000;
const AT_END_PIXELS = 8;

export function LogView({ store, details, id }: { store: CockpitStore; details: IDetails; id: string }) {
  const [stream, setStream] = useState<'stdout' | 'stderr'>('stdout');
  const offered = details.logs.some(log => log.stream === stream) ? stream : details.logs[0]?.stream ?? 'stdout';
  const path = details.logs.find(log => log.stream === offered)?.path ?? '';
  if (details.logs.length === 0) {
    return null;
  }
  return (
    <section class="gcs-section" aria-label="output">
      <div class="gcs-line">
        <div role="tablist" aria-label="output" class="gcs-small-tabs">
          {details.logs.map(log => (
            <button
              type="button" role="tab" key={log.stream} id={`${id}-tab-${log.stream}`} aria-controls={`${id}-log`}
              aria-selected={log.stream === offered} tabIndex={log.stream === offered ? 0 : -1}
              onClick={() => { setStream(log.stream); }}
              onKeyDown={event => {
                if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
                  const other = details.logs.find(one => one.stream !== offered)?.stream ?? offered;
                  setStream(other);
                  document.getElementById(`${id}-tab-${other}`)?.focus();
                }
              }}
            >
              {log.stream}
            </button>
          ))}
        </div>
        <span class="gcs-path gcs-dim" title={path}><bdi>{path}</bdi></span>
      </div>
      <Tail key={`${details.job_id} ${details.task ?? ''} ${offered}`} store={store} details={details} stream={offered} id={id} />
    </section>
  );
}

function Tail({ store, details, stream, id }: { store: CockpitStore; details: IDetails; stream: 'stdout' | 'stderr'; id: string }) {
  const pre = useRef<HTMLPreElement>(null);
  const buffer = useRef(new LogBuffer());
  const [follow, setFollow] = useState(true);
  const [note, setNote] = useState('loading…');
  const following = useRef(true);
  following.current = follow;
  const asked = store.live.value && store.visible.value && store.replaying.value === null;
  const gone = details.gone;

  useEffect(() => {
    if (!asked) {
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const ask = async () => {
      try {
        const { offset } = buffer.current;
        const log = await store.connection.ask('log', { job_id: details.job_id, task: details.task, stream, offset });
        if (over) {
          return;
        }
        const more = buffer.current.take(log);
        const node = pre.current;
        if (node !== null && more !== '') {
          if (more === undefined) {
            node.textContent = buffer.current.text;
          } else {
            node.append(more);
          }
          if (following.current) {
            node.scrollTop = node.scrollHeight;
          }
        }
        const cut = buffer.current.cut ? 'The beginning is left out.' : '';
        setNote(log.note !== '' ? log.note : buffer.current.text === '' ? `Nothing on ${stream} yet.` : cut);
      } catch (why) {
        setNote(wordsOf(why));
      }
      // What has ended writes no more: this was its last word.
      if (!over && !gone) {
        timer = setTimeout(() => { void ask(); }, PAUSE_MILLISECONDS);
      }
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [asked, gone]);

  const scroll = () => {
    const node = pre.current;
    if (node !== null) {
      setFollow(node.scrollTop + node.clientHeight >= node.scrollHeight - AT_END_PIXELS);
    }
  };
  return (
    <div role="tabpanel" id={`${id}-log`} aria-labelledby={`${id}-tab-${stream}`}>
      <pre ref={pre} class="gcs-log-text" tabIndex={0} role="region" aria-label={`${stream} of job ${details.job_id}`} onScroll={scroll} />
      <div class="gcs-line">
        <label class="gcs-dim">
          <input
            type="checkbox"
            checked={follow}
            onChange={event => {
              const on = event.currentTarget.checked;
              setFollow(on);
              if (on && pre.current !== null) {
                pre.current.scrollTop = pre.current.scrollHeight;
              }
            }}
          /> Follow
        </label>
        <span class="gcs-dim">{note}</span>
      </div>
    </div>
  );
}
