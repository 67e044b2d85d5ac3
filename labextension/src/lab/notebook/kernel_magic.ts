// `%%gcs` needs `%load_ext gcs_lab` in the kernel. It is sent just before a cell that uses the magic, in silence: loading
// it again does nothing, and a kernel that was restarted has it again. The kernel takes requests in their order.
import { Notification, showErrorMessage } from '@jupyterlab/apputils';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { usesMagic } from './cell_line';

const LOADS = /^\s*%(?:re)?load_ext\s+gcs_lab\b/m;

/** Load the magics in a kernel; '' or why it does not work there. */
export async function loadMagic(kernel: Kernel.IKernelConnection, trans: TranslationBundle): Promise<string> {
  const reply = await kernel.requestExecute({ code: '%load_ext gcs_lab', silent: true, store_history: false, stop_on_error: false }).done;
  if (reply.content.status !== 'error') {
    return '';
  }
  const { ename, evalue } = reply.content;
  return ename === 'ModuleNotFoundError' && evalue.includes('gcs_lab')
    ? trans.__('The kernel "%1" has no gcs_lab: it runs in another Python environment than JupyterLab. Install it there (%pip install gcs-lab in a cell, then restart the kernel), or choose another kernel.', kernel.name)
    : trans.__('gcs_lab could not be loaded in the kernel "%1": %2: %3', kernel.name, ename, evalue);
}

/**
 * See to it that every cell with the magic finds it, however the cell is run.
 *
 * @param used - told of each such cell, when it is run
 */
export function provideMagic(tracker: INotebookTracker, trans: TranslationBundle, used: () => void = () => undefined): void {
  const told = new WeakSet<Kernel.IKernelConnection>();
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    const source = cell.model.sharedModel.getSource();
    if (cell.model.type !== 'code' || !usesMagic(source)) {
      return;
    }
    used();
    // One that loads it itself would be told that it is loaded already.
    if (LOADS.test(source)) {
      return;
    }
    const panel = tracker.find(one => one.content === notebook);
    const kernel = panel?.sessionContext.session?.kernel;
    if (panel === undefined || kernel === null || kernel === undefined || !speaksPython(panel)) {
      return;
    }
    loadMagic(kernel, trans).then(
      problem => {
        if (problem !== '' && !told.has(kernel)) {
          told.add(kernel);
          // A notification has room for a line only.
          const explain = () => { void showErrorMessage(trans.__('gcs_lab is not in this kernel'), problem); };
          Notification.error(trans.__('The magic %%%%gcs could not be loaded in the kernel "%1".', kernel.name), {
            autoClose: false, actions: [{ label: trans.__('What to do'), callback: explain }]
          });
        }
      },
      // The kernel ended or was interrupted: the cell itself says so.
      () => undefined
    );
  });
}

function speaksPython(panel: NotebookPanel): boolean {
  const language = panel.model?.defaultKernelLanguage ?? '';
  return language === '' || language.toLowerCase() === 'python';
}
