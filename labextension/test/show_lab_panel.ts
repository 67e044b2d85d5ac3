// A panel in a page with fake timers, for its tests.
import { vi } from 'vitest';

import type { IPanelView } from '../src/lab/panel/view';
import { FakeManager, makePanel, NOW, showPanel } from './lab_panel_fake';
import { settle } from './show_cockpit';

let open: IPanelView[] = [];

/**
 * @param atOnce - done with the view before anything else happens
 */
export async function show(manager = new FakeManager(), atOnce: (view: IPanelView) => void = () => undefined) {
  const shown = showPanel(manager);
  open.push(shown.view);
  atOnce(shown.view);
  await settle();
  return shown;
}

export async function showJobs(...[live, recent, different]: Parameters<typeof makePanel>) {
  const manager = new FakeManager();
  manager.state.value = makePanel(live, recent, different);
  return show(manager);
}

export function rowsOf(node: ParentNode): string[] {
  return [...node.querySelectorAll<HTMLElement>('.jp-gcs-lab-job')].map(row => row.dataset.jobId ?? '');
}

export function begin(): void {
  vi.useFakeTimers({ now: NOW * 1000 });
  localStorage.clear();
}

export function end(): void {
  open.forEach(view => { view.dispose(); });
  open = [];
  document.body.replaceChildren();
  vi.useRealTimers();
}
