// The item of the status bar: how many of my jobs run and wait, and how the cluster is.
import type { TranslationBundle } from '@jupyterlab/translation';
import { effect } from '@preact/signals';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { clusterIcon } from '../icons';
import type { IClusterManager } from '../tokens';
import { statusText } from './status_text';

export class StatusItem extends Widget {
  /** Whether it is to be seen has changed. */
  readonly wantedChanged = new Signal<this, void>(this);
  private readonly button: HTMLButtonElement;
  private readonly text: HTMLElement;
  private readonly stop: () => void;
  private shown = true;

  constructor(manager: IClusterManager, trans: TranslationBundle, pressed: () => void) {
    super();
    this.addClass('jp-gcs-lab-status');
    this.button = document.createElement('button');
    this.button.type = 'button';
    this.button.addEventListener('click', pressed);
    clusterIcon.element({ container: this.button.appendChild(document.createElement('span')), stylesheet: 'statusBar' });
    this.text = this.button.appendChild(document.createElement('span'));
    this.text.className = 'jp-gcs-lab-status-text';
    this.node.append(this.button);
    this.stop = effect(() => {
      const { panel, connection, current, clusters } = manager;
      const told = statusText({
        panel: panel.state.value, problem: panel.problem.value, connection: connection.value, current: current.value,
        clusters: clusters.value
      }, trans);
      this.button.dataset.level = told.level;
      this.button.title = told.title;
      this.button.setAttribute('aria-label', told.title);
      this.text.replaceChildren(...told.parts.map(part));
    });
  }

  get wanted(): boolean {
    return this.shown;
  }

  set wanted(wanted: boolean) {
    if (wanted !== this.shown) {
      this.shown = wanted;
      this.wantedChanged.emit();
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.stop();
      Signal.clearData(this);
    }
    super.dispose();
  }
}

function part(text: string): HTMLElement {
  const node = document.createElement('span');
  node.textContent = text;
  return node;
}
