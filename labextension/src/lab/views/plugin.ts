// Tabs of the main area: queue, accounting, hosts and queues, and one for each job. They come back with the layout.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { accountingIcon, hostsIcon, jobIcon, queueIcon } from '../icons';
import { IClusterManager, IClusterViews } from '../tokens';
import { ClusterView } from './cluster_view';
import { argsOf, type IViewArgs, jsonOf, nameOf, type ViewKind } from './view_args';

interface IKindOfView {
  kind: ViewKind;
  command: string;
  /** Of the command, and of its tabs. */
  label: string;
  title: string;
  caption: string;
  icon: LabIcon;
}

type ViewTab = MainAreaWidget<ClusterView>;

function kindsOf(trans: TranslationBundle): IKindOfView[] {
  return [
    {
      kind: 'queue', command: CommandIDs.openQueue, icon: queueIcon, label: trans.__('Cluster Queue'), title: trans.__('Queue'),
      caption: trans.__('All jobs of the cluster, its map and charts')
    },
    {
      kind: 'accounting', command: CommandIDs.openAccounting, icon: accountingIcon, label: trans.__('Cluster Accounting'), title: trans.__('Accounting'),
      caption: trans.__('What jobs that ended have used')
    },
    {
      kind: 'hosts', command: CommandIDs.openHosts, icon: hostsIcon, label: trans.__('Cluster Hosts and Queues'), title: trans.__('Hosts'),
      caption: trans.__('Which hosts and queues are full, idle or closed')
    },
    {
      kind: 'job', command: CommandIDs.openJob, icon: jobIcon, label: trans.__('Job'), title: trans.__('Job'),
      caption: trans.__('All facts of a job, its log and what it drew')
    }
  ];
}

function activate(
  app: JupyterFrontEnd, manager: IClusterManager, rendermime: IRenderMimeRegistry, translator: ITranslator | null,
  restorer: ILayoutRestorer | null
): IClusterViews {
  const trans = (translator ?? nullTranslator).load('gcs_lab');
  const openers = new Map(kindsOf(trans).map(one => [one.kind, addKind(app, manager, rendermime, trans, restorer, one)]));
  const open = (kind: ViewKind, args: IViewArgs) => { openers.get(kind)?.(args); };
  return {
    openQueue(cluster = '', filter) { open('queue', { cluster, ...(filter === undefined ? {} : { filter, tab: 'jobs' }) }); },
    openAccounting(cluster = '') { open('accounting', { cluster }); },
    openHosts(cluster = '') { open('hosts', { cluster }); },
    openJob(cluster, jobId, task = null) { open('job', { cluster, job_id: jobId, task }); }
  };
}

/** The command, the tracker and the layout of one kind of tabs; returns what opens one. */
function addKind(
  app: JupyterFrontEnd, manager: IClusterManager, rendermime: IRenderMimeRegistry, trans: TranslationBundle,
  restorer: ILayoutRestorer | null, { kind, command, label, title, caption, icon }: IKindOfView
): (args: IViewArgs) => void {
  const tracker = new WidgetTracker<ViewTab>({ namespace: `gcs-lab-${kind}` });
  let restored = false;
  void app.restored.then(() => { restored = true; });
  const open = (given: IViewArgs) => {
    const args = given.cluster === '' ? { ...given, cluster: manager.current.peek() } : given;
    const there = tracker.find(tab => nameOf(kind, tab.content.shows) === nameOf(kind, args));
    if (there !== undefined) {
      if (Object.keys(jsonOf(args)).some(name => name !== 'cluster' && name !== 'job_id')) {
        there.content.showOther({ ...there.content.shows, ...args });
      }
      app.shell.activateById(there.id);
      return;
    }
    const content = new ClusterView({ kind, args, manager, commands: app.commands, rendermime, trans, label: title, wake: restored });
    const tab: ViewTab = new MainAreaWidget({ content });
    tab.id = `gcs-lab-${nameOf(kind, args)}`;
    tab.title.icon = icon;
    tab.title.closable = true;
    tab.toolbar.hide();
    content.keptChanged.connect(() => { void tracker.save(tab); });
    void tracker.add(tab);
    app.shell.add(tab, 'main');
    app.shell.activateById(tab.id);
  };
  app.commands.addCommand(command, {
    label: args => (kind === 'job' && typeof args.job_id === 'string' ? trans.__('Open Job %1', args.job_id) : label),
    caption,
    icon,
    isVisible: args => kind !== 'job' || args.job_id !== undefined,
    describedBy: { args: schemaOf(kind) },
    execute: args => {
      const read = argsOf(args);
      if (kind === 'job' && read.job_id === undefined) {
        throw new Error(trans.__('Which job? %1 needs the argument job_id, as text.', command));
      }
      open(read);
    }
  });
  if (restorer !== null) {
    void restorer.restore(tracker, {
      command,
      args: tab => jsonOf(tab.content.shows),
      name: tab => nameOf(kind, tab.content.shows)
    });
  }
  return open;
}

function schemaOf(kind: ViewKind): ReadonlyJSONObject {
  const cluster = { type: 'string', description: 'Name of the cluster; the current one, if left out.' };
  if (kind !== 'job') {
    return { type: 'object', properties: { cluster, ...(kind === 'accounting' ? {} : { filter: { type: 'string', description: 'What is shown of it.' } }) } };
  }
  return {
    type: 'object',
    properties: { cluster, job_id: { type: 'string' }, task: { type: 'integer', description: 'Index of the task that is shown first.' } },
    required: ['job_id']
  };
}

export const viewsPlugin: JupyterFrontEndPlugin<IClusterViews> = {
  id: 'gcs-lab:views',
  description: 'Tabs of clusters in the main area: queue, accounting, hosts and queues, and jobs.',
  autoStart: true,
  requires: [IClusterManager, IRenderMimeRegistry],
  optional: [ITranslator, ILayoutRestorer],
  provides: IClusterViews,
  activate
};
