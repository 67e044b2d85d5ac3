// Does to a job what a person asked for, from wherever: a row's button, its menu, a key, a command.
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { IPanelJob } from '../../protocol/panel_messages';
import type { IClusterInfo } from '../../protocol/rest';
import { CommandIDs } from '../commands';
import type { IClusterManager } from '../tokens';
import { allows, cancelWords, deedLabel, type Deed } from './deeds';

interface IPerformer {
  manager: IClusterManager;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Where a person sees what came of it; `alarm`: it was refused. */
  tell: (text: string, alarm: boolean) => void;
}

export class Performer {
  /** What is being done: nothing twice at a time. */
  private readonly under_way = new Set<string>();

  constructor(private readonly parts: IPerformer) {}

  async perform(deed: Deed, jobId: string): Promise<void> {
    const { manager, trans, tell } = this.parts;
    const job = manager.panel.job(jobId);
    const name = `${deed} ${jobId}`;
    if (this.under_way.has(name)) {
      return;
    }
    if (job === null) {
      tell(trans.__('Job %1 is not among your jobs any more.', jobId), true);
      return;
    }
    if (!allows(job, deed)) {
      tell(trans.__('%1: this cannot be done to job %2 as it is now.', deedLabel(deed, trans), jobId), true);
      return;
    }
    this.under_way.add(name);
    try {
      await this.begin(deed, job);
    } catch (why) {
      tell(why instanceof Error ? why.message : String(why), true);
    } finally {
      this.under_way.delete(name);
    }
  }

  private async begin(deed: Deed, job: IPanelJob): Promise<void> {
    const { manager, tell } = this.parts;
    const cluster = manager.current.value;
    switch (deed) {
      case 'open':
        await this.run(CommandIDs.openJob, { cluster, job_id: job.job_id });
        break;
      case 'go_to_cell':
        await this.run(CommandIDs.goToCell, { notebook: job.notebook, cell: job.cell, job_id: job.job_id, execution_count: job.execution_count });
        break;
      case 'attach':
        await this.run(CommandIDs.attachToJob, { cluster, job_id: job.job_id });
        break;
      default:
        if (deed !== 'cancel' || await this.confirmed(job)) {
          tell(await manager.panel.act(deed, job.job_id), false);
        }
    }
  }

  private async run(command: string, args: Record<string, string | number>): Promise<void> {
    const { commands, trans } = this.parts;
    if (!commands.hasCommand(command)) {
      throw new Error(trans.__('The part of gcs_lab that does this is disabled: the command %1 is not there. Enable it in the Extension Manager.', command));
    }
    await commands.execute(command, args);
  }

  private async confirmed(job: IPanelJob): Promise<boolean> {
    const { title, body, keep, go } = cancelWords(job, this.parts.trans);
    // The focus is on what loses nothing.
    const { button } = await showDialog({
      title, body, defaultButton: 0, buttons: [Dialog.cancelButton({ label: keep }), Dialog.warnButton({ label: go })]
    });
    return button.accept;
  }
}

/** @param jobs - of mine that have not ended there, as far as this page knows */
export async function confirmStop(cluster: IClusterInfo, jobs: number, trans: TranslationBundle): Promise<boolean> {
  const mine = jobs === 0 ? '' : `${trans._n('%1 job of yours has not ended there.', '%1 jobs of yours have not ended there.', jobs)} `;
  const then = cluster.backend === 'embedded'
    ? trans.__('What runs goes on; what waits does so until it is started again.')
    : trans.__('What runs ends with it. Its records stay.');
  const { button } = await showDialog({
    title: trans.__('Stop %1?', cluster.name),
    body: mine + then,
    defaultButton: 0,
    buttons: [Dialog.cancelButton({ label: trans.__('Keep it') }), Dialog.warnButton({ label: trans.__('Stop') })]
  });
  return button.accept;
}
