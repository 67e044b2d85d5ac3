// Commands of the active cell, and of the way to a cell. Buttons, menus and keys are in schema/run-cell.json.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { runOnClusterIcon } from '../icons';
import { IClusterManager } from '../tokens';
import { textOf } from './command_arguments';
import { provideMagic } from './kernel_magic';
import type { IRunCell } from './run_cell';
import { RememberedForms } from './remembered_forms';
import { StartedByCell } from './started_by_cell';

export const runCellPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:run-cell',
  description: 'Turns the current cell into a cluster job, by a form or as the last time.',
  autoStart: true,
  requires: [INotebookTracker, IClusterManager, IDocumentManager],
  optional: [ITranslator, IStateDB, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    manager: IClusterManager,
    documents: IDocumentManager,
    translator: ITranslator | null,
    state: IStateDB | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    const forms = new RememberedForms(state);
    const started = new StartedByCell(manager);
    provideMagic(tracker, trans, () => { started.look(); });
    const isEnabled = () => tracker.currentWidget !== null && tracker.currentWidget === app.shell.currentWidget;
    const withCell = (run: (part: IRunCell) => Promise<void>) => {
      const panel: NotebookPanel | null = tracker.currentWidget;
      return panel === null ? Promise.resolve() : run({ panel, manager, forms, trans });
    };
    app.commands.addCommand(CommandIDs.runCellAsJob, {
      label: trans.__('Run Cell on Cluster…'),
      caption: trans.__('Run this cell as a cluster job: choose what it asks for'),
      icon: runOnClusterIcon,
      isEnabled,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => withCell(async part => { await (await import('./run_cell')).runActiveCell(part); })
    });
    app.commands.addCommand(CommandIDs.runCellAgain, {
      label: trans.__('Run Cell on Cluster as the Last Time'),
      caption: trans.__('Run this cell as a cluster job with its own line, or with the values of the last job of this notebook'),
      icon: runOnClusterIcon,
      isEnabled,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => withCell(async part => { await (await import('./run_cell')).runCellAgain(part); })
    });
    addGoToCell(app, documents, trans);
    // The other commands are put there by gcs-lab:platform.
    palette?.addItem({ command: CommandIDs.runCellAgain, category: trans.__('Cluster') });
  }
};

function addGoToCell(app: JupyterFrontEnd, documents: IDocumentManager, trans: TranslationBundle): void {
  app.commands.addCommand(CommandIDs.goToCell, {
    label: trans.__('Go to Cell'),
    caption: trans.__('Show the notebook cell that submitted this job'),
    describedBy: {
      args: {
        type: 'object',
        properties: { notebook: { type: 'string' }, cell: { type: 'string' }, job_id: { type: 'string' }, execution_count: { type: 'number' } }
      }
    },
    execute: async (args: ReadonlyPartialJSONObject) => {
      const count = args.execution_count;
      const place = { notebook: textOf(args, 'notebook'), cell: textOf(args, 'cell'), job_id: textOf(args, 'job_id'), execution_count: typeof count === 'number' ? count : 0 };
      try {
        await (await import('./go_to_cell')).goToCell(documents, place, trans);
      } catch (why) {
        await showErrorMessage(trans.__('The notebook could not be opened'), why instanceof Error ? why : String(why));
      }
    }
  });
}
