// The side panel "Cluster": which cluster, how it is, and my jobs there, live.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { accountingIcon, clusterIcon, hostsIcon, queueIcon } from '../icons';
import { IClusterManager } from '../tokens';
import { dragJob } from './drag_job';
import { addJobCommands } from './job_commands';
import { confirmStop, Performer } from './perform';
import type { PlaceName } from './platform';
import { ClusterPanel } from './widget';

/** After the file browser (100), before the running kernels (200). */
const RANK = 150;

const PLACES: Record<PlaceName, string> = {
  queue: CommandIDs.openQueue, hosts: CommandIDs.openHosts, accounting: CommandIDs.openAccounting
};

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:panel',
  description: 'The side panel "Cluster".',
  autoStart: true,
  requires: [IClusterManager, ITranslator],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, manager: IClusterManager, translator: ITranslator, restorer: ILayoutRestorer | null) => {
    const { commands, shell } = app;
    const trans = translator.load('gcs_lab');
    const tell = (text: string, alarm: boolean) => {
      if (!panel.note(text, alarm)) {
        Notification.emit(text, alarm ? 'error' : 'success', { autoClose: alarm ? false : 5000 });
      }
    };
    const performer = new Performer({ manager, commands, trans, tell });
    const panel = new ClusterPanel({
      manager,
      trans,
      icons: { queue: queueIcon.svgstr, hosts: hostsIcon.svgstr, accounting: accountingIcon.svgstr },
      show: place => {
        commands.execute(PLACES[place], { cluster: manager.current.value }).catch((why: unknown) => { tell(String(why), true); });
      },
      perform: (deed, jobId) => performer.perform(deed, jobId),
      confirmStop: (cluster, jobs) => confirmStop(cluster, jobs, trans),
      drag: (job, at) => { dragJob(manager.current.value, job, at, panel); }
    });
    panel.title.icon = clusterIcon;
    panel.title.caption = trans.__('Cluster');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Cluster'));
    shell.add(panel, 'left', { rank: RANK, type: 'Cluster' });
    restorer?.add(panel, panel.id);

    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Cluster Panel'),
      caption: trans.__('Show my jobs and the state of the cluster in the side panel'),
      icon: clusterIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => { shell.activateById(panel.id); }
    });
    addJobCommands(app, manager.panel, performer, trans);
  }
};
