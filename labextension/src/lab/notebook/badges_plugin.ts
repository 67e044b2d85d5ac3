// Tells the server which notebooks are open, and shows the state of their cells' jobs. A notebook without jobs costs its
// path in one message; the badges themselves are loaded with the first job.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

import type { ICells } from '../../protocol/panel_messages';
import { CommandIDs } from '../commands';
import { IClusterManager } from '../tokens';
import type { NotebookBadges } from './badges';

export const badgesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'gcs-lab:badges',
  description: 'Shows at each notebook cell the state of the cluster job that it became.',
  autoStart: true,
  requires: [INotebookTracker, IClusterManager],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker, manager: IClusterManager, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('gcs_lab');
    const add = (panel: NotebookPanel) => { watchNotebook(app, panel, manager, trans); };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => { add(panel); });
  }
};

function watchNotebook(app: JupyterFrontEnd, panel: NotebookPanel, manager: IClusterManager, trans: TranslationBundle): void {
  let badges: NotebookBadges | null = null;
  let loading = false;
  // A notebook that is renamed has the jobs that it sent under its former names, too. Ids of cells are unique.
  const watched = new Map([[panel.context.path, manager.panel.watch(panel.context.path)]]);
  const show = () => {
    const told = manager.panel.cells.peek();
    const cells: ICells['cells'] = Object.fromEntries([...watched.keys()].flatMap(path => Object.entries(told[path] ?? {})));
    if (badges !== null) {
      badges.show(cells);
    } else if (Object.keys(cells).length > 0 && !loading) {
      loading = true;
      void import('./badges').then(module => {
        if (!panel.isDisposed) {
          badges = new module.NotebookBadges(panel, trans, job => {
            void app.commands.execute(CommandIDs.openJob, { cluster: job.cluster, job_id: job.job_id });
          });
          show();
        }
      });
    }
  };
  const renamed = () => {
    const { path } = panel.context;
    // The latest name last: what was sent under it counts.
    watched.get(path)?.dispose();
    watched.delete(path);
    watched.set(path, manager.panel.watch(path));
    show();
  };
  panel.context.pathChanged.connect(renamed);
  const stop = manager.panel.cells.subscribe(show);
  panel.disposed.connect(() => {
    panel.context.pathChanged.disconnect(renamed);
    stop();
    watched.forEach(one => { one.dispose(); });
    badges?.dispose();
  });
}
