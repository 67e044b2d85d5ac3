// Where the extension is found: command palette, launcher, and the commands around clusters. Shortcuts and the main
// menu's entries are in schema/platform.json.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { clusterIcon } from '../icons';
import { IClusterManager } from '../tokens';
import { whenIdle } from './idle';
import { followSettings, PLATFORM_ID } from './settings';

/** In the order of the palette. Commands that need to know a job or a file are not in it. */
const IN_PALETTE = [
  CommandIDs.showPanel, CommandIDs.openQueue, CommandIDs.openHosts, CommandIDs.openAccounting, CommandIDs.runCellAsJob,
  CommandIDs.chooseCluster, CommandIDs.startDemo
];
const IN_LAUNCHER = [CommandIDs.openQueue, CommandIDs.openAccounting, CommandIDs.startDemo];

export const entriesPlugin: JupyterFrontEndPlugin<void> = {
  id: PLATFORM_ID,
  description: 'Commands for clusters, and where all commands of the extension are found.',
  autoStart: true,
  requires: [IClusterManager],
  optional: [ICommandPalette, ILauncher, ISettingRegistry, ITranslator],
  activate: (
    app,
    manager: IClusterManager,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    const category = trans.__('Cluster');
    const args = {
      type: 'object',
      properties: { cluster: { type: 'string', description: trans.__('Name of the cluster; left out: it is asked for') } }
    } as const;
    app.commands.addCommand(CommandIDs.startDemo, {
      label: trans.__('Start Demo Cluster…'),
      caption: trans.__('Start a small cluster on this machine, to try things out'),
      icon: clusterIcon,
      describedBy: { args },
      execute: async given => { await (await import('./choose_cluster')).startDemo(manager, clusterOf(given), trans); }
    });
    app.commands.addCommand(CommandIDs.chooseCluster, {
      label: trans.__('Choose Cluster…'),
      caption: trans.__('Which cluster the panel and the status bar show'),
      icon: clusterIcon,
      describedBy: { args },
      execute: async given => { await (await import('./choose_cluster')).chooseCluster(manager, clusterOf(given), trans); }
    });
    for (const [rank, command] of IN_PALETTE.entries()) {
      palette?.addItem({ command, category, rank });
    }
    for (const [rank, command] of IN_LAUNCHER.entries()) {
      launcher?.add({ command, category, rank });
    }
    let first = true;
    whenIdle(app, () => {
      void followSettings(registry, settings => {
        if (first && settings.cluster !== '' && settings.cluster !== manager.current.value) {
          manager.use(settings.cluster);
        }
        first = false;
      });
    });
  }
};

function clusterOf(args: ReadonlyPartialJSONObject): string {
  return typeof args.cluster === 'string' ? args.cluster : '';
}
