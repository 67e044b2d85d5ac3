// "Run on cluster…" of the file browser. Its place in the menu is in schema/run-cell.json.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { runOnClusterIcon } from '../icons';
import { IClusterManager } from '../tokens';
import { textOf } from './command_arguments';
import { RememberedForms } from './remembered_forms';

const RUNNABLE = /\.(?:ipynb|sh|bash|py|r|jl)$/i;

export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:files',
  description: 'Runs notebooks and scripts of the file browser as cluster jobs.',
  autoStart: true,
  requires: [IFileBrowserFactory, IClusterManager],
  optional: [ITranslator, IStateDB],
  activate: (app: JupyterFrontEnd, browsers: IFileBrowserFactory, manager: IClusterManager, translator: ITranslator | null, state: IStateDB | null) => {
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    const forms = new RememberedForms(state);
    const selected = () => [...(browsers.tracker.currentWidget?.selectedItems() ?? [])];
    app.commands.addCommand(CommandIDs.submitFile, {
      label: trans.__('Run on Cluster…'),
      caption: trans.__('Run the selected notebooks or scripts as cluster jobs'),
      icon: runOnClusterIcon,
      describedBy: { args: { type: 'object', properties: { path: { type: 'string' } } } },
      isVisible: args => {
        const items = textOf(args, 'path') === '' ? selected() : [];
        return items.every(item => item.type !== 'directory' && RUNNABLE.test(item.path));
      },
      execute: async args => {
        const path = textOf(args, 'path');
        const paths = path === '' ? selected().filter(item => item.type !== 'directory').map(item => item.path) : [path];
        const { submitFiles } = await import('./submit_files');
        const runnable = paths.filter(one => RUNNABLE.test(one));
        await submitFiles({ paths: runnable, manager, contents: app.serviceManager.contents, commands: app.commands, forms, trans });
      }
    });
  }
};
