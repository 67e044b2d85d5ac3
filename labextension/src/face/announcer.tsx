// What a screen reader is told without having asked: rarely, and only what matters.
import { useEffect, useRef, useState } from 'preact/hooks';

const PAUSE_MILLISECONDS = 4000;

export function Announcer({ words }: { words: string }) {
  const [said, setSaid] = useState('');
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(500, last.current + PAUSE_MILLISECONDS - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      setSaid(words);
    }, wait);
    return () => { clearTimeout(timer); };
  }, [words]);
  return <div class="gcs-spoken" role="status" aria-live="polite">{said}</div>;
}
