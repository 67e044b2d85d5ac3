// The focus among the rows of jobs: moved by the arrow keys, and kept when the row that has it leaves.
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

function focusRow(place: HTMLElement, key: string): void {
  const row = place.querySelector<HTMLElement>(`.jp-gcs-lab-job[data-key="${CSS.escape(key)}"]`);
  row?.querySelector('button')?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: 'nearest' });
}

/**
 * Arrow keys: up and down between rows, right and left among what is in one; down from a field to the first.
 *
 * @param order - keys of the rows, from top to bottom
 */
export function walk(place: HTMLElement | null, order: readonly string[], event: KeyboardEvent): void {
  const target = event.target instanceof HTMLElement ? event.target : null;
  const row = target?.closest<HTMLElement>('.jp-gcs-lab-job') ?? null;
  const written = target instanceof HTMLInputElement;
  if (place === null || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || (row === null && !written)) {
    return;
  }
  if (row !== null && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
    const buttons = [...row.querySelectorAll('button')];
    const step = event.key === 'ArrowRight' ? 1 : -1;
    event.preventDefault();
    buttons[buttons.findIndex(button => button === target) + step]?.focus();
    return;
  }
  const at = row === null ? -1 : order.indexOf(row.dataset.key ?? '');
  const last = order.length - 1;
  const to = written && event.key !== 'ArrowDown' ? undefined : { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
  const key = to === undefined ? undefined : order[Math.max(0, Math.min(last, to))];
  if (key !== undefined) {
    event.preventDefault();
    focusRow(place, key);
  }
}

/**
 * A row that leaves takes the focus along: give it to the same job elsewhere, or to the row that is now in its place.
 *
 * @param chosen - the key of the row that has, or had, the focus
 * @param awaits - whether the focus is to go to the first row as soon as there is one
 */
export function useKeptFocus(
  place: RefObject<HTMLElement | null>, order: readonly string[], chosen: () => string, awaits: () => boolean
): void {
  const within = useRef(false);
  const before = useRef(order);
  // Not useEffect, which comes later: a command may give the focus to a row that was drawn this very moment.
  useLayoutEffect(() => {
    const node = place.current;
    const enter = () => { within.current = true; };
    const leave = ({ target }: FocusEvent) => {
      // What is taken from the page was not left by a person.
      queueMicrotask(() => {
        if (target instanceof Node && target.isConnected && node?.contains(document.activeElement) !== true) {
          within.current = false;
        }
      });
    };
    node?.addEventListener('focusin', enter);
    node?.addEventListener('focusout', leave);
    return () => {
      node?.removeEventListener('focusin', enter);
      node?.removeEventListener('focusout', leave);
    };
  }, []);
  useLayoutEffect(() => {
    if (order[0] !== undefined && place.current !== null && awaits()) {
      focusRow(place.current, order[0]);
    }
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (within.current && lost && place.current !== null) {
      const key = chosen();
      const next = order.includes(key) ? key : order[Math.min(Math.max(0, before.current.indexOf(key)), order.length - 1)];
      if (next !== undefined) {
        focusRow(place.current, next);
      }
    }
    before.current = order;
  }, [order]);
}
