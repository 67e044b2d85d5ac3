// How large an element is, kept up to date.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Width and height in CSS pixels; 0 while it is not laid out. */
export function useSize(node: RefObject<HTMLElement | null>): [number, number] {
  const [size, setSize] = useState<[number, number]>([0, 0]);
  useEffect(() => {
    if (node.current === null) {
      return undefined;
    }
    const watcher = new ResizeObserver(entries => {
      const { width = 0, height = 0 } = entries[0]?.contentRect ?? {};
      // Not shown (another tab): keep what there was.
      if (width > 0) {
        setSize(before => {
          const now: [number, number] = [Math.floor(width), Math.floor(height)];
          return before[0] === now[0] && before[1] === now[1] ? before : now;
        });
      }
    });
    watcher.observe(node.current);
    return () => { watcher.disconnect(); };
  }, []);
  return size;
}
