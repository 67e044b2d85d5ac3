// Jobs dropped on notebooks, and the command that does the same from the keyboard.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { IClusterManager } from '../tokens';
import { acceptJobs, attachBelow } from './attach_cell';
import { textOf } from './command_arguments';

export const dropPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:drop',
  description: 'Puts the code that attaches to a job into a notebook: by drag and drop, or by a command.',
  autoStart: true,
  requires: [INotebookTracker, IClusterManager],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker, manager: IClusterManager, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    tracker.forEach(panel => { acceptJobs(panel, manager, trans); });
    tracker.widgetAdded.connect((_, panel) => { acceptJobs(panel, manager, trans); });
    app.commands.addCommand(CommandIDs.attachToJob, {
      label: trans.__('Attach in Notebook'),
      caption: trans.__('Add a cell with the code that attaches to this job below the active cell of the notebook'),
      describedBy: { args: { type: 'object', properties: { cluster: { type: 'string' }, job_id: { type: 'string' } }, required: ['job_id'] } },
      execute: async args => {
        const job = { cluster: textOf(args, 'cluster'), job_id: textOf(args, 'job_id') };
        const panel = tracker.currentWidget;
        if (panel === null || job.job_id === '') {
          const why = panel === null ? trans.__('No notebook is open. Open the one that shall attach to job %1.', job.job_id) : trans.__('No job was named.');
          await showErrorMessage(trans.__('No cell was added'), why);
          return;
        }
        app.shell.activateById(panel.id);
        await attachBelow(panel, manager, job, trans);
      }
    });
  }
};
