// Provides the manager. Nothing is asked of the server before JupyterLab is ready.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IClusterManager } from '../tokens';
import { ClusterManager } from './manager';
import { PAGE_VERSION } from './version';

const REMEMBERED = 'gcs-lab:cluster';

export const managerPlugin: JupyterFrontEndPlugin<IClusterManager> = {
  id: 'gcs-lab:manager',
  description: 'Clusters that the Jupyter server reaches: one line a page, and REST.',
  autoStart: true,
  provides: IClusterManager,
  optional: [IStateDB, ITranslator],
  activate: (app: JupyterFrontEnd, state: IStateDB | null, translator: ITranslator | null): IClusterManager => {
    const manager = new ClusterManager({
      settings: app.serviceManager.serverSettings,
      trans: (translator ?? nullTranslator).load('gcs_lab'),
      version: PAGE_VERSION,
      recall: async () => {
        const kept = await state?.fetch(REMEMBERED).catch(() => undefined);
        return typeof kept === 'string' ? kept : '';
      },
      remember: cluster => { void state?.save(REMEMBERED, cluster); }
    });
    void app.restored.then(() => manager.start());
    return manager;
  }
};
