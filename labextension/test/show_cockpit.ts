// A cockpit in a page with a fake host, for tests with fake timers.
import { vi } from 'vitest';

import { mountCockpit, type ICockpit } from '../src/cockpit/cockpit';
import { FakeCockpitHost, keyOf, makeDetails, makeOverview, makeWelcome } from './fake_cockpit_host';

let open: ICockpit[] = [];

export function show(overview = makeOverview(), welcome = makeWelcome()) {
  const host = new FakeCockpitHost();
  const node = document.createElement('div');
  document.body.append(node);
  const cockpit = mountCockpit(node, host);
  open.push(cockpit);
  host.tell(welcome, overview);
  return { host, node, cockpit };
}

/** Let effects and what they cause be done. */
export async function settle(milliseconds = 50): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

export function find(node: ParentNode, selector: string, text = ''): HTMLElement {
  const found = [...node.querySelectorAll<HTMLElement>(selector)].find(one => one.textContent.includes(text));
  if (found === undefined) {
    throw new Error(`there is no ${selector} with "${text}"`);
  }
  return found;
}

export function press(target: HTMLElement, key: string): void {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
}

/** Open the job 17 by its row. */
export async function openJob(host: FakeCockpitHost, node: HTMLElement, different: Parameters<typeof makeDetails>[0] = {}) {
  await settle();
  host.tellRows('jobs', { [keyOf(17)]: { job_id: '17', name: 'fit', owner: 'alice', letters: 'r', state: 'RUNNING', tasks: [1, 0, 0, 0, 0] } });
  await settle(300);
  find(node, '[role=row] [role=gridcell]', 'fit').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
  await settle();
  host.tell(makeDetails({ id: host.last('details').id, ...different }));
  await settle();
}

export function begin(): void {
  vi.useFakeTimers({ now: new Date('2026-11-21T12:00:00Z') });
  localStorage.clear();
}

export function end(): void {
  open.forEach(cockpit => { cockpit.dispose(); });
  open = [];
  document.body.replaceChildren();
  vi.useRealTimers();
}
