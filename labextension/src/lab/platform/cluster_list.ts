// The body of a dialog: clusters to choose one of, each with its state and why it is there.
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { IClusterInfo } from '../../protocol/rest';

export class ClusterList extends Widget {
  private readonly choices: HTMLInputElement[] = [];

  /** @param chosen - name of the one that is marked at first; else the first */
  constructor(clusters: readonly IClusterInfo[], chosen: string, trans: TranslationBundle) {
    super({ node: document.createElement('fieldset') });
    this.addClass('jp-gcs-lab-choice');
    const legend = document.createElement('legend');
    legend.textContent = trans.__('Clusters');
    legend.className = 'jp-gcs-lab-unseen';
    this.node.append(legend);
    for (const [place, cluster] of clusters.entries()) {
      const label = document.createElement('label');
      const choice = document.createElement('input');
      Object.assign(choice, { type: 'radio', name: 'gcs-lab-cluster', value: cluster.name });
      choice.checked = cluster.name === chosen || (place === 0 && !clusters.some(other => other.name === chosen));
      label.append(choice, line('jp-gcs-lab-choice-name', cluster.name), line('jp-gcs-lab-choice-state', stateWord(cluster, trans)));
      label.append(line('jp-gcs-lab-choice-text', cluster.text === '' ? cluster.why : cluster.text));
      this.choices.push(choice);
      this.node.append(label);
    }
  }

  getValue(): string {
    return this.choices.find(choice => choice.checked)?.value ?? '';
  }
}

export function stateWord(cluster: IClusterInfo, trans: TranslationBundle): string {
  switch (cluster.state) {
    case 'running':
      return trans.__('runs');
    case 'stopped':
      return trans.__('stopped');
    default:
      return trans.__('does not answer');
  }
}

function line(className: string, text: string): HTMLElement {
  const node = document.createElement('span');
  node.className = className;
  node.textContent = text;
  return node;
}
