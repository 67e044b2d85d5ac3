import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { IClusterManager } from '../tokens';
import { whenIdle } from './idle';
import { followSettings } from './settings';

export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:status-bar',
  description: 'My jobs and the cluster in the status bar.',
  autoStart: true,
  requires: [IClusterManager],
  optional: [IStatusBar, ISettingRegistry, ITranslator],
  activate: (app, manager: IClusterManager, bar: IStatusBar | null, registry: ISettingRegistry | null, translator: ITranslator | null) => {
    if (bar === null) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    const add = async () => {
      const { StatusItem } = await import('./status_item');
      const item = new StatusItem(manager, trans, () => {
        if (app.commands.hasCommand(CommandIDs.showPanel)) {
          void app.commands.execute(CommandIDs.showPanel);
        }
      });
      await followSettings(registry, settings => { item.wanted = settings.statusBar; });
      // After the kernels and the line's place; where the window is narrow JupyterLab hides items of priority 0.
      bar.registerStatusItem('gcs-lab:status', {
        item, align: 'left', rank: 20, priority: 0, isActive: () => item.wanted, activeStateChanged: item.wantedChanged
      });
    };
    whenIdle(app, () => void add());
  }
};
