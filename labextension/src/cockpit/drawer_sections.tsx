// The parts of the drawer that only show what the host tells of a job.
import { useState } from 'preact/hooks';

import type { IDetails } from '../protocol/messages';
import { duration, measure, timeOfDay } from '../face/clock';
import { Bar } from '../face/parts';

const REASONS_SHOWN = 4;
/** A longer group of facts is folded at first. */
const FACTS_UNFOLDED = 12;

export function Reasons({ reasons }: { reasons: string[] }) {
  const [all, setAll] = useState(false);
  if (reasons.length === 0) {
    return null;
  }
  const folded = reasons.length - REASONS_SHOWN;
  return (
    <section class="gcs-section gcs-why" aria-label="why it waits">
      <h4>Why it waits</h4>
      <ul>{(all ? reasons : reasons.slice(0, REASONS_SHOWN)).map(reason => <li key={reason}>{reason}</li>)}</ul>
      {folded > 0 && (
        <button type="button" class="gcs-button gcs-link" aria-expanded={all} onClick={() => { setAll(!all); }}>
          {all ? 'show fewer' : `and ${folded} more`}
        </button>
      )}
    </section>
  );
}

export function Usage({ usage }: { usage: IDetails['usage'] }) {
  if (usage.length === 0) {
    return null;
  }
  return (
    <section class="gcs-section" aria-label="used so far">
      <h4>Used so far</h4>
      <dl class="gcs-usage-rows">
        {usage.map(({ label, used, asked, unit }) => {
          const share = asked !== null && asked > 0 ? used / asked : 0;
          return (
            <div key={label} class={share > 0.9 ? 'gcs-near' : ''}>
              <dt>{label}</dt>
              <dd>
                {asked !== null && asked > 0 && <Bar parts={[[share, 'gcs-part-used']]} />}
                <span>
                  {measure(used, unit)}
                  {asked !== null && <span class="gcs-dim"> of {measure(asked, unit)}{asked > 0 && ` (${Math.round(100 * share)}%)`}</span>}
                </span>
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

export function Pairs({ title, rows, folded = false }: { title: string; rows: [string, string][]; folded?: boolean }) {
  if (rows.length === 0) {
    return null;
  }
  const list = <dl class="gcs-facts-list">{rows.map(([label, value]) => <div key={label}><dt>{label}</dt><dd>{value}</dd></div>)}</dl>;
  if (folded) {
    return <details class="gcs-section"><summary>{title} <span class="gcs-dim">{rows.length}</span></summary>{list}</details>;
  }
  return <section class="gcs-section" aria-label={title.toLowerCase()}><h4>{title}</h4>{list}</section>;
}

export function Facts({ facts }: { facts: IDetails['facts'] }) {
  return <>{facts.map(({ title, rows }) => <Pairs key={title} title={title} rows={rows} folded={rows.length > FACTS_UNFOLDED} />)}</>;
}

export function Timeline({ timeline, now }: { timeline: IDetails['timeline']; now: number }) {
  if (timeline.length === 0) {
    return null;
  }
  return (
    <section class="gcs-section" aria-label="timeline">
      <h4>Timeline</h4>
      <ol class="gcs-timeline">
        {timeline.map(({ time, what }) => (
          <li key={`${time} ${what}`}>
            <time dateTime={new Date(time * 1000).toISOString()} title={new Date(time * 1000).toLocaleString()}>{timeOfDay(time, now, true)}</time>
            <span>{what}</span>
            <span class="gcs-dim">{duration(now - time)} ago</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function CellSource({ cell }: { cell: IDetails['cell'] }) {
  if (cell === null) {
    return null;
  }
  return (
    <section class="gcs-section" aria-label="its cell">
      <h4>Its cell <span class="gcs-unit">{cell.notebook === '' ? '' : `${cell.notebook}, `}In [{cell.execution_count}]</span></h4>
      <pre class="gcs-source" tabIndex={0} role="region" aria-label="source of the cell">{cell.source.replace(/^\n+/, '')}</pre>
      {cell.folder !== '' && <p class="gcs-path gcs-dim" title={cell.folder}><bdi>{cell.folder}</bdi></p>}
    </section>
  );
}
