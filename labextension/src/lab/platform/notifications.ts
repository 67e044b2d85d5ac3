// JupyterLab's notifications: of jobs that ended, and of a server that does not answer.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

import type { IPanelJob } from '../../protocol/panel_messages';
import { CommandIDs } from '../commands';
import { IClusterManager } from '../tokens';
import { nameOf } from '../views/view_args';
import { ConnectionNotice } from './connection_notice';
import { EndedGather, wanted } from './ended_gather';
import { noticeOf } from './ended_text';
import { whenIdle } from './idle';
import { followSettings, type Notified } from './settings';

/** How long a notification stays on the page, in milliseconds; afterwards it is in JupyterLab's list of them. */
const GOOD = 5_000;
const BAD = 15_000;

export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:notifications',
  description: 'Tells when jobs end, and when the server of clusters does not answer.',
  autoStart: true,
  requires: [IClusterManager],
  optional: [ISettingRegistry, ITranslator],
  activate: (app, manager: IClusterManager, registry: ISettingRegistry | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    let notified: Notified = 'all';
    const gather = new EndedGather(ended => {
      const heard = wanted(ended, notified, job => isLookedAt(app, manager.current.value, job));
      if (heard !== null) {
        const notice = noticeOf(heard, trans);
        Notification.emit(notice.text, notice.type, {
          autoClose: notice.type === 'success' ? GOOD : BAD,
          actions: notice.job === null ? queueAction(app, trans) : jobActions(app, manager.current.value, notice.job, trans)
        });
      }
    });
    whenIdle(app, () => {
      void followSettings(registry, settings => { notified = settings.notifications; });
      manager.panel.ended.connect((_, ended) => { gather.add(ended); });
      new ConnectionNotice(app, trans).follow(manager);
    });
  }
};

/** Whether its tab is in front, in a page that is in front. */
function isLookedAt(app: JupyterFrontEnd, cluster: string, job: IPanelJob): boolean {
  const tab = `gcs-lab-${nameOf('job', { cluster, job_id: job.job_id })}`;
  return document.visibilityState === 'visible' && app.shell.currentWidget?.id === tab;
}

function jobActions(app: JupyterFrontEnd, cluster: string, job: IPanelJob, trans: TranslationBundle): Notification.IAction[] {
  const open = { label: trans.__('Open'), caption: trans.__('Show this job'), callback: () => {
    void app.commands.execute(CommandIDs.openJob, { cluster, job_id: job.job_id });
  } };
  const go = { label: trans.__('Go to cell'), caption: trans.__('Show the cell that submitted it'), callback: () => {
    void app.commands.execute(CommandIDs.goToCell, { notebook: job.notebook, cell: job.cell, job_id: job.job_id });
  } };
  return job.notebook !== '' && job.cell !== '' ? [open, go] : [open];
}

function queueAction(app: JupyterFrontEnd, trans: TranslationBundle): Notification.IAction[] {
  return [{ label: trans.__('Show panel'), callback: () => void app.commands.execute(CommandIDs.showPanel) }];
}
