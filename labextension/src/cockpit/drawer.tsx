// All there is to know of one job, beside the table: it may be widened, and Escape closes it.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import type { IDetails } from '../protocol/messages';
import { CellSource, Facts, Pairs, Reasons, Timeline, Usage } from './drawer_sections';
import { LogView } from './log_view';
import { BACK, CROSS, Icon, IconButton, Press } from '../face/parts';
import { StatePill } from './state_mark';
import { TaskStrip } from './task_strip';
import type { CockpitStore, IOpened } from './store';

const NARROWEST = 300;
const WIDEST = 900;
const STEP = 24;

export function Drawer({ store, opened, id }: { store: CockpitStore; opened: IOpened; id: string }) {
  const node = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [width, setWidth] = useState(store.memory.get('drawer') ?? 420);
  const details = store.details.value;
  const asking = store.asking.value !== null;
  /** Whether the focus is, or was when it vanished, at one of the actions. */
  const acting = useRef(false);

  useLayoutEffect(() => {
    // What was just done is often not offered any more: its button is gone, and the focus with it.
    if (acting.current && !asking && document.activeElement === document.body) {
      acting.current = false;
      heading.current?.focus({ preventScroll: true });
    }
  });

  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    node.current?.scrollTo({ top: 0 });
  }, [opened.job_id]);

  const close = () => {
    store.close();
    // Back to the row that it was opened from.
    store.gridOf('jobs')?.focus();
  };
  const resize = (to: number) => {
    const kept = Math.max(NARROWEST, Math.min(WIDEST, to));
    setWidth(kept);
    store.memory.set({ drawer: kept });
  };
  return (
    <div class="gcs-drawer-place" style={{ '--gcs-drawer': `${width}px` }}>
      <Handle width={width} onResize={resize} controls={`${id}-drawer`} />
      <section
        ref={node}
        id={`${id}-drawer`}
        class="gcs-drawer"
        role="region"
        aria-labelledby={`${id}-drawer-name`}
        data-lm-suppress-shortcuts="true"
        onKeyDown={event => {
          if (event.key === 'Escape') {
            event.preventDefault();
            event.stopPropagation();
            close();
          }
        }}
      >
        <header class="gcs-drawer-head">
          <div class="gcs-line">
            {details !== null && <StatePill state={details.letters.includes('E') ? 'ERROR' : details.state} />}
            <h3 id={`${id}-drawer-name`} ref={heading} tabIndex={-1}>
              {details?.name ?? 'Details'}
            </h3>
            <IconButton label="Close the details" path={CROSS} onPress={close} />
          </div>
          <p class="gcs-dim">
            job {opened.job_id}
            {opened.task !== null && <>, <b>task {opened.task}</b></>}
            {details !== null && <> of {details.owner}{details.letters !== '' && <> · <code>{details.letters}</code></>}</>}
            {details?.gone === true && ' · it has left the queue: this is how it was'}
          </p>
          {opened.task !== null && (
            <button type="button" class="gcs-button gcs-link gcs-with-icon" onClick={() => { store.open(opened.job_id, null); }}>
              <Icon path={BACK} />the whole array
            </button>
          )}
          {details !== null && <Actions store={store} details={details} onFocus={here => { acting.current = here; }} />}
        </header>
        {store.detailsTrouble.value !== '' && <p class="gcs-alarm-text" role="alert">{store.detailsTrouble.value}</p>}
        {details === null
          ? store.detailsTrouble.value === '' && <p class="gcs-dim" role="status">asking the cluster…</p>
          : <Body store={store} details={details} id={id} />}
      </section>
    </div>
  );
}

function Body({ store, details, id }: { store: CockpitStore; details: IDetails; id: string }) {
  return (
    <>
      {details.trouble !== '' && <p class="gcs-alarm-text">{details.trouble}</p>}
      <Reasons reasons={details.reasons} />
      {details.strip.length > 0 && (
        <section class="gcs-section" aria-label="tasks">
          <h4>Tasks</h4>
          <TaskStrip
            runs={details.strip} task={details.task} dark={store.dark.value} name={details.name}
            onOpen={task => { store.open(details.job_id, task); }}
          />
        </section>
      )}
      <Usage usage={details.usage} />
      <LogView store={store} details={details} id={id} />
      <Pairs title="Requests" rows={details.requests} />
      <Timeline timeline={details.timeline} now={store.now.value} />
      <CellSource cell={details.cell} />
      <Facts facts={details.facts} />
    </>
  );
}

function Actions({ store, details, onFocus }: { store: CockpitStore; details: IDetails; onFocus: (here: boolean) => void }) {
  const offered = (store.welcome.value?.actions ?? []).filter(action => details.actions.includes(action.name));
  if (offered.length === 0) {
    return null;
  }
  const reason = store.forbidden([details.owner]);
  const off = store.noActions.value !== '' ? store.noActions.value : reason;
  const target = [{ job_id: details.job_id, task: details.task }];
  return (
    <div
      class="gcs-buttons"
      role="group"
      aria-label="actions"
      onFocusIn={() => { onFocus(true); }}
      onFocusOut={event => {
        // Not where the button itself vanishes, or where the question stands before it.
        if (event.relatedTarget !== null && store.asking.peek() === null) {
          onFocus(false);
        }
      }}
    >
      {offered.map(action => (
        <Press
          key={action.name} label={`${action.label}…`} danger={action.danger} off={off} title={action.help}
          onPress={() => { store.act(action.name, target); }}
        />
      ))}
      {reason !== '' && <span class="gcs-unit">{reason}</span>}
    </div>
  );
}

/** The edge between table and drawer. */
function Handle({ width, onResize, controls }: { width: number; onResize: (width: number) => void; controls: string }) {
  const from = useRef<[number, number] | null>(null);
  return (
    <div
      class="gcs-handle"
      role="separator"
      aria-orientation="vertical"
      aria-label="width of the details"
      aria-controls={controls}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      aria-valuenow={width}
      tabIndex={0}
      data-lm-suppress-shortcuts="true"
      onKeyDown={event => {
        const step = event.key === 'ArrowLeft' ? STEP : event.key === 'ArrowRight' ? -STEP : 0;
        if (step !== 0) {
          event.preventDefault();
          event.stopPropagation();
          onResize(width + step);
        }
      }}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = [event.clientX, width];
      }}
      onPointerMove={event => {
        if (from.current !== null) {
          onResize(from.current[1] + from.current[0] - event.clientX);
        }
      }}
      onPointerUp={() => { from.current = null; }}
    />
  );
}
