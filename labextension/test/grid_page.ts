// A page for the grid: happy-dom lays nothing out, so that sizes are given.
import { afterEach, beforeEach, vi } from 'vitest';

export function sizedPage(height: number): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_700_100_000_000 });
    vi.stubGlobal('ResizeObserver', class {
      constructor(private readonly told: () => void) {}
      observe() { this.told(); }
      disconnect() { /* nothing was observed */ }
    });
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(height);
  });
  afterEach(() => {
    document.body.replaceChildren();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}

export function press(target: Element | null, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true, ...more });
  target?.dispatchEvent(event);
  return event;
}
