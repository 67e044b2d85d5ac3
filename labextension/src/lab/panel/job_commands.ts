// What may be done to a job as a command, and in the context menu of its row.
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import type { IPanelModel } from '../tokens';
import { ALL_DEEDS, allows, deedLabel, isDeed, type Deed } from './deeds';
import type { Performer } from './perform';

const ROW = '.jp-gcs-lab-job';

/** `gcs-lab:act-on-job` with {action, job_id}; without `job_id` it is the job whose menu is open. */
export function addJobCommands(app: JupyterFrontEnd, model: IPanelModel, performer: Performer, trans: TranslationBundle): void {
  const jobOf = (args: ReadonlyPartialJSONObject): string => {
    if (typeof args.job_id === 'string') {
      return args.job_id;
    }
    return app.contextMenuHitTest(node => node.matches(ROW))?.dataset.jobId ?? '';
  };
  const possible = (args: ReadonlyPartialJSONObject): boolean => {
    const job = model.job(jobOf(args));
    return job !== null && isDeed(args.action) && allows(job, args.action);
  };
  app.commands.addCommand(CommandIDs.actOnJob, {
    label: args => (isDeed(args.action) ? deedLabel(args.action, trans) : trans.__('Act on a Cluster Job')),
    caption: trans.__('Do something to a job of mine: "action" is one of %1, "job_id" the job', ALL_DEEDS.join(', ')),
    describedBy: {
      args: {
        type: 'object',
        required: ['action'],
        properties: {
          action: { type: 'string', enum: [...ALL_DEEDS], description: 'What to do' },
          job_id: { type: 'string', description: 'Of one of my jobs; without it, the one whose context menu is open' }
        }
      }
    },
    isVisible: possible,
    isEnabled: possible,
    execute: async args => {
      if (isDeed(args.action)) {
        await performer.perform(args.action, jobOf(args));
      }
    }
  });
  ALL_DEEDS.forEach((action, rank) => {
    app.contextMenu.addItem({ command: CommandIDs.actOnJob, selector: ROW, rank: 2 * rank, args: { action } });
  });
  // What only looks, what changes, and what ends it.
  for (const before of ['rerun_failed', 'cancel'] satisfies Deed[]) {
    app.contextMenu.addItem({ type: 'separator', selector: ROW, rank: 2 * ALL_DEEDS.indexOf(before) - 1 });
  }
}
