// What may wait until JupyterLab has painted.
import type { JupyterFrontEnd } from '@jupyterlab/application';

/** Longest that a page without a quiet moment is waited for, in milliseconds. */
const LONGEST = 2_000;

/** Run once JupyterLab is restored and the browser has nothing better to do. */
export function whenIdle(app: JupyterFrontEnd, work: () => void): void {
  void app.restored.then(() => {
    if (typeof requestIdleCallback === 'function') {
      requestIdleCallback(() => { work(); }, { timeout: LONGEST });
    } else {
      setTimeout(work, 0);
    }
  });
}
