// Whether the page is dark, for colours of small marks, which are chosen for the ground that they stand on.
import { isDark } from '../sweep_card/strip';

/** A theme's style sheet comes some time after the attribute that names it. */
const LATER_MILLISECONDS = 500;
/** JupyterLab, VS Code and Colab say their theme in one of these. */
const THEMES = ['data-jp-theme-light', 'data-jp-theme-name', 'data-vscode-theme-kind', 'class', 'theme', 'style'];

/** Keep `data-ground` of an element right; returns what ends it. */
export function watchGround(node: HTMLElement): () => void {
  let later: ReturnType<typeof setTimeout> | undefined;
  const look = () => { node.dataset.ground = isDark(node) ? 'dark' : 'light'; };
  const soon = () => {
    clearTimeout(later);
    later = setTimeout(look, LATER_MILLISECONDS);
  };
  const themes = new MutationObserver(() => {
    look();
    soon();
  });
  for (const holder of [document.documentElement, document.body]) {
    themes.observe(holder, { attributes: true, attributeFilter: THEMES });
  }
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', soon);
  // The node is not in the page yet.
  later = setTimeout(look, 0);
  return () => {
    clearTimeout(later);
    themes.disconnect();
    system.removeEventListener('change', soon);
  };
}
