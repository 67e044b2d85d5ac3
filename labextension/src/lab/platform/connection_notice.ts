// One notification while the server of clusters does not answer; it goes by itself when it does again.
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import type { IClusterManager, IConnectionState } from '../tokens';

/** A line that comes back within this time (milliseconds) is not spoken of. */
const PATIENCE = 4_000;

export class ConnectionNotice {
  private id = '';
  private timer: ReturnType<typeof setTimeout> | null = null;
  private told = '';

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly trans: TranslationBundle,
    private readonly patience: number = PATIENCE
  ) {}

  follow(manager: IClusterManager): void {
    manager.connectionChanged.connect((_, state) => { this.turn(state); });
    this.turn(manager.connection.value);
  }

  private turn(state: IConnectionState): void {
    if (state.status === 'connecting') {
      return;
    }
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    if (state.status === 'connected') {
      this.dismiss();
    } else if (state.status === 'lost') {
      // Its text counts down; it is said once.
      if (this.told !== 'lost') {
        this.timer = setTimeout(() => { this.show(state); }, this.patience);
      }
    } else if (this.told !== state.status) {
      this.show(state);
    }
  }

  private show(state: IConnectionState): void {
    this.dismiss();
    this.told = state.status;
    const { trans } = this;
    const panel = { label: trans.__('Show panel'), callback: () => void this.app.commands.execute(CommandIDs.showPanel) };
    const reload = { label: trans.__('Reload the page'), callback: () => { window.location.reload(); } };
    this.id = Notification.emit(this.words(state), state.status === 'missing' ? 'error' : 'warning', {
      autoClose: false,
      actions: state.status === 'old' ? [reload, panel] : [panel]
    });
  }

  /** JupyterLab cuts what is longer than 140 characters; the panel has all of it. */
  private words({ status, version }: IConnectionState): string {
    const { trans } = this;
    switch (status) {
      case 'missing':
        return trans.__('The server half of gcs_lab is missing or switched off. The Cluster panel says what to do.');
      case 'old':
        return trans.__('This page and the Jupyter server (%1) have different versions of gcs_lab.', version ?? '?');
      default:
        return trans.__('The Jupyter server does not answer for clusters. It is tried again by itself; jobs go on.');
    }
  }

  private dismiss(): void {
    this.told = '';
    if (this.id !== '') {
      Notification.dismiss(this.id);
      this.id = '';
    }
  }
}
