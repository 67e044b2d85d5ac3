// A badge of a cell's job: what it shows and says. Plain DOM: a notebook with jobs needs no view for it.
import type { TranslationBundle } from '@jupyterlab/translation';

import { lookOf, type ILook } from '../../card/state_look';
import type { ICellJob } from '../../protocol/panel_messages';

export const BADGE_CLASS = 'jp-gcs-lab-badge';

export function badgeLook(state: string): ILook {
  // ERROR is Grid Engine's state of a job that could not start; DRMAA2 has no word for it.
  return state === 'ERROR' ? { ...lookOf('FAILED'), word: 'error' } : lookOf(state);
}

export function makeBadge(onPress: (job: ICellJob) => void): { node: HTMLButtonElement; show(job: ICellJob, trans: TranslationBundle): void } {
  const node = document.createElement('button');
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  const word = document.createElement('span');
  let shown: ICellJob | null = null;
  node.type = 'button';
  node.className = BADGE_CLASS;
  icon.setAttribute('viewBox', '0 0 16 16');
  icon.setAttribute('aria-hidden', 'true');
  icon.append(path);
  node.append(icon, word);
  node.addEventListener('click', event => {
    event.stopPropagation();
    if (shown !== null) {
      onPress(shown);
    }
  });
  return {
    node,
    show(job, trans) {
      const look = badgeLook(job.state);
      const named = job.name === '' ? job.job_id : `${job.job_id} (${job.name})`;
      const said = job.text.startsWith(look.word) ? job.text : [look.word, job.text].filter(part => part !== '').join(', ');
      shown = job;
      node.dataset.state = job.state;
      path.setAttribute('d', look.icon);
      word.textContent = look.word;
      const label = trans.__('Job %1 on %2: %3. Open it.', named, job.cluster, said);
      node.setAttribute('aria-label', label);
      node.title = label;
    }
  };
}
