// The cluster in one line, its slots as a bar, and the ways to the large views.
import { formatCount } from '../../card/figures';
import { Bar, Icon } from '../../face/parts';
import type { IHealth, IPanel } from '../../protocol/panel_messages';
import type { PlaceName } from './platform';
import type { PanelStore } from './store';

const GLYPHS: Record<IHealth['level'], string> = {
  good: 'M3 8.5 6.5 12 13 4.5',
  busy: 'M8 4.5V8l2.3 1.4M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z',
  warn: 'M8 2.5 14.5 13.5H1.5ZM8 6.5V9.5M8 11.5v.1',
  bad: 'M4 4l8 8M12 4l-8 8'
};

export function Health({ store, panel }: { store: PanelStore; panel: IPanel }) {
  const { trans } = store.platform;
  const { health, slots } = panel;
  const levels = { good: trans.__('works'), busy: trans.__('full'), warn: trans.__('needs attention'), bad: trans.__('does not answer') };
  const total = Math.max(1, slots.total);
  const said = trans.__(
    '%1 slots used, %2 free, %3 closed', formatCount(slots.used), formatCount(slots.free), formatCount(slots.closed)
  );
  return (
    <div class="jp-gcs-lab-health" data-level={health.level}>
      <p title={health.help} class="jp-gcs-lab-health-line">
        <span class="jp-gcs-lab-lamp-icon"><Icon path={GLYPHS[health.level]} /></span>
        <span class="gcs-spoken">{levels[health.level]}: </span>
        <span>{health.text}</span>
      </p>
      {slots.total > 0 && (
        <div role="img" aria-label={said} title={said}>
          <Bar parts={[[slots.used / total, 'gcs-part-used'], [slots.free / total, 'gcs-part-free'], [slots.closed / total, 'gcs-part-closed']]} />
        </div>
      )}
    </div>
  );
}

export function Places({ store }: { store: PanelStore }) {
  const { icons, trans } = store.platform;
  const places: [PlaceName, string, string][] = [
    ['queue', trans.__('Queue'), trans.__('All jobs of the cluster, its hosts and queues, live')],
    ['hosts', trans.__('Hosts'), trans.__('Hosts and queues with their load and slots')],
    ['accounting', trans.__('Accounting'), trans.__('What earlier jobs used')]
  ];
  return (
    <div class="jp-gcs-lab-places" role="group" aria-label={trans.__('Views')}>
      {places.map(([place, word, help]) => (
        <button key={place} type="button" class="gcs-button" title={help} onClick={() => { store.platform.show(place); }}>
          {/* The drawing is one of our own. */}
          <span class="jp-gcs-lab-place-icon" aria-hidden="true" dangerouslySetInnerHTML={{ __html: icons[place] }} />
          <span class="jp-gcs-lab-place-word">{word}</span>
        </button>
      ))}
    </div>
  );
}
