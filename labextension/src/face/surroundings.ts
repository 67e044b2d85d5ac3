// What is around a cockpit: whether somebody sees it, and whether the page is dark.
import { isDark } from '../sweep_card/strip';

/** Calls `tell` whenever that changes; returns what ends it. */
export function watchSeen(node: Element, tell: (seen: boolean) => void): () => void {
  let within = true;
  const say = () => { tell(within && document.visibilityState !== 'hidden'); };
  const watcher = new IntersectionObserver(entries => {
    within = entries.at(-1)?.isIntersecting ?? within;
    say();
  });
  watcher.observe(node);
  document.addEventListener('visibilitychange', say);
  return () => {
    watcher.disconnect();
    document.removeEventListener('visibilitychange', say);
  };
}

/** Calls `tell` at first and whenever the page's theme may have changed. */
export function watchDark(node: Element, tell: (dark: boolean) => void): () => void {
  // What is behind the cockpit: its own ground follows the page's.
  const say = () => { tell(isDark(node.parentElement ?? document.body)); };
  const watcher = new MutationObserver(say);
  const names = ['class', 'style', 'data-jp-theme-light', 'data-jp-theme-name', 'data-vscode-theme-kind', 'theme'];
  [document.documentElement, document.body].forEach(part => { watcher.observe(part, { attributes: true, attributeFilter: names }); });
  const preference = matchMedia('(prefers-color-scheme: dark)');
  preference.addEventListener('change', say);
  say();
  return () => {
    watcher.disconnect();
    preference.removeEventListener('change', say);
  };
}
