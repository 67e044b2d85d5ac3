// The jobs: the grid, what is selected of it, and what can be done to that.
import { formatCount } from '../card/figures';
import type { IGridRow } from '../grid/grid_api';
import { openMenu, type IMenuItem } from '../grid/popup_menu';
import type { Target } from '../protocol/messages';
import { GridView, copyRows } from './grid_view';
import { MenuButton } from '../face/menu_button';
import { CROSS, IconButton, Press } from '../face/parts';
import { chosen, type IChosen } from './targets';
import type { CockpitStore } from './store';

/** Those that have a button of their own; the others are in the menu. */
const AT_HAND = ['cancel', 'hold', 'release'];
const TOGETHER = 'a row of tasks that wait together stands for several: choose its job, or a task in the details';
const ALL = 'matching';

export function JobsPanel({ store, shown }: { store: CockpitStore; shown: boolean }) {
  const select = (keys: string[]) => {
    store.selectedAll.value = store.gridOf('jobs')?.selectedAll() ?? false;
    const known = new Map(store.selection.value.map(one => [one.key, one]));
    store.selection.value = keys.map(key => known.get(key) ?? choose(store, key)).filter(one => one !== undefined);
  };
  const open = (row: IGridRow | null) => {
    if (row === null) {
      store.close();
      return;
    }
    const { target } = chosen(row.key, row);
    store.open(target.job_id, target.task);
  };
  const rowMenu = (x: number, y: number, keys: string[]) => {
    const about = keys.map(key => choose(store, key)).filter(one => one !== undefined);
    const first = about[0];
    const host = store.gridOf('jobs')?.node.closest<HTMLElement>('.gcs-cockpit');
    if (host === undefined || host === null) {
      return;
    }
    if (store.selectedAll.value) {
      openMenu(host, { x, y }, 'all that match', () => allItems(store));
      return;
    }
    if (first === undefined) {
      return;
    }
    const opening: Item[] = about.length > 1 ? [] : [{ label: 'Details', press: () => { store.open(first.target.job_id, first.target.task); } }, null];
    openMenu(host, { x, y }, wordsFor(about), () => [...opening, ...actionItems(store, about), null, ...copyItems(store, keys)]);
  };
  return (
    <div class="gcs-panel-column">
      <Toolbar store={store} />
      <GridView store={store} view="jobs" label="jobs" shown={shown} selectable open={open} selected={select} menu={rowMenu} />
    </div>
  );
}

type Item = IMenuItem | null;

function choose(store: CockpitStore, key: string): IChosen | undefined {
  return /^\d+$/.test(key) ? chosen(key, store.gridOf('jobs')?.row(key)) : undefined;
}

function Toolbar({ store }: { store: CockpitStore }) {
  const about = store.selection.value;
  const actions = store.welcome.value?.actions ?? [];
  const matching = store.totals.value.jobs?.[1] ?? 0;
  const all = store.selectedAll.value;
  if (about.length === 0 || all) {
    const off = store.noActions.value !== '' ? store.noActions.value : matching === 0 ? 'no job matches' : '';
    return (
      <div class={`gcs-toolbar${all ? ' gcs-chosen-bar' : ''}`} role="toolbar" aria-label={all ? 'selected jobs' : 'jobs'}>
        {all
          ? <b>All {formatCount(matching)} that match selected</b>
          : <span class="gcs-dim">Space selects, Enter opens, a right click or the Menu key acts.</span>}
        <span class="gcs-space" />
        <MenuButton label={all ? 'Act on them' : 'Act on all that match'} off={off} items={() => allItems(store)} />
        {all && <ClearSelection store={store} />}
      </div>
    );
  }
  const off = offFor(store, about);
  const atHand = actions.filter(action => AT_HAND.includes(action.name));
  return (
    <div class="gcs-toolbar gcs-chosen-bar" role="toolbar" aria-label="selected jobs">
      <b>{wordsFor(about)} selected</b>
      {atHand.map(action => (
        <Press
          key={action.name} label={`${action.label}…`} danger={action.danger} off={off} title={action.help}
          onPress={() => { store.act(action.name, targetsOf(about)); }}
        />
      ))}
      <MenuButton label="More" off={off} items={() => actionItems(store, about, AT_HAND)} />
      {off !== '' && <span class="gcs-unit">{off}</span>}
      <span class="gcs-space" />
      <ClearSelection store={store} />
    </div>
  );
}

function ClearSelection({ store }: { store: CockpitStore }) {
  return <IconButton label="Clear selection" path={CROSS} onPress={() => { store.gridOf('jobs')?.clearSelection(); }} />;
}

// -- what can be done -------------------------------------------------------------------------------------------------

function allItems(store: CockpitStore): Item[] {
  const actions = store.welcome.value?.actions ?? [];
  const off = store.noActions.value !== '';
  return [...actions.map(({ name, label }) => ({ label: `${label}…`, off, press: () => { store.act(name, ALL); } })), null, ...copyItems(store, ALL)];
}

/** If nothing can be done, the first entry says why. */
function actionItems(store: CockpitStore, about: IChosen[], without: string[] = []): Item[] {
  const reason = offFor(store, about);
  const off = reason !== '';
  const actions = (store.welcome.value?.actions ?? []).filter(action => !without.includes(action.name));
  const items = actions.map(({ name, label }) => ({ label: `${label}…`, off, press: () => { store.act(name, targetsOf(about)); } }));
  return off ? [{ label: reason, off, press: () => undefined }, ...items] : items;
}

function copyItems(store: CockpitStore, keys: string[] | 'matching'): Item[] {
  const ways = [['text', 'Copy as text'], ['csv', 'Copy as CSV'], ['qdel', 'Copy a qdel line']] as const;
  const off = !store.live.value;
  return ways.map(([format, label]) => ({ label, off, press: () => { void copyRows(store, 'jobs', format, keys, columnsShown(store)); } }));
}

function columnsShown(store: CockpitStore): string[] {
  return store.gridOf('jobs')?.layout().columns.map(column => column.name) ?? [];
}

function offFor(store: CockpitStore, about: IChosen[]): string {
  if (store.noActions.value !== '') {
    return store.noActions.value;
  }
  return about.some(one => one.together) ? TOGETHER : store.forbidden(about.map(one => one.owner));
}

/** A task whose job is selected, too, is the job's. */
export function targetsOf(about: IChosen[]): Target[] {
  const whole = new Set(about.filter(one => one.target.task === null).map(one => one.target.job_id));
  return about.filter(one => one.target.task === null || !whole.has(one.target.job_id)).map(one => one.target);
}

export function wordsFor(about: IChosen[]): string {
  const jobs = new Set(about.map(one => one.target.job_id));
  const whole = new Set(about.filter(one => one.target.task === null).map(one => one.target.job_id));
  const tasks = about.filter(one => one.target.task === null || !whole.has(one.target.job_id)).reduce((sum, one) => sum + one.tasks, 0);
  const counted = `${formatCount(jobs.size)} ${jobs.size === 1 ? 'job' : 'jobs'}`;
  return tasks > jobs.size ? `${counted}, ${formatCount(tasks)} tasks` : counted;
}
