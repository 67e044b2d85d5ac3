// A line of tabs that is walked by the arrow keys.
import { formatCount } from '../card/figures';

export interface ITab<T extends string> {
  name: T;
  label: string;
  help?: string | undefined;
  count?: number | undefined;
}

interface ITabList<T extends string> {
  /** The tabs' ids begin with it: `<id>-tab-<name>`; those of their panels are `<id>-panel-<name>`. */
  id: string;
  label: string;
  tabs: readonly ITab<T>[];
  chosen: T;
  /** Whether all tabs share the panel `<id>-panel`. */
  onePanel?: boolean;
  onChoose: (name: T) => void;
}

export function TabList<T extends string>({ id, label, tabs, chosen, onePanel = false, onChoose }: ITabList<T>) {
  const go = (event: KeyboardEvent) => {
    const at = tabs.findIndex(tab => tab.name === chosen);
    const to: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 };
    const step = to[event.key];
    const next = step === undefined ? undefined : tabs[(step + tabs.length) % tabs.length]?.name;
    if (next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      onChoose(next);
      (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`#${id}-tab-${next}`)?.focus();
    }
  };
  return (
    <div class="gcs-tabs" role="tablist" aria-label={label} data-lm-suppress-shortcuts="true" onKeyDown={go}>
      {tabs.map(tab => (
        <button
          type="button" role="tab" key={tab.name} id={`${id}-tab-${tab.name}`} title={tab.help}
          aria-controls={onePanel ? `${id}-panel` : `${id}-panel-${tab.name}`}
          aria-selected={tab.name === chosen} tabIndex={tab.name === chosen ? 0 : -1} onClick={() => { onChoose(tab.name); }}
        >
          {tab.label}{tab.count === undefined ? '' : <span class="gcs-tab-count">{formatCount(tab.count)}</span>}
        </button>
      ))}
    </div>
  );
}
