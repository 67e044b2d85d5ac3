// A cell with the code that attaches to a job: by a command, or where the job was dropped.
import { showErrorMessage } from '@jupyterlab/apputils';
import { NotebookActions, type Notebook, type NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { MimeData } from '@lumino/coreutils';
import type { Drag } from '@lumino/dragdrop';

import type { IJobFacts } from '../../protocol/rest';
import { JOB_MIME } from '../commands';
import type { IClusterManager } from '../tokens';

const TARGET_CLASS = 'jp-gcs-lab-drop-target';

/** What Lumino adds to the events of a drag. */
type DragParts = Pick<Drag.Event, 'mimeData' | 'dropAction' | 'proposedAction'>;

interface IDraggedJob {
  cluster: string;
  job_id: string;
  code: string;
}

/** Put a cell below the active one. */
export async function attachBelow(panel: NotebookPanel, manager: IClusterManager, job: Omit<IDraggedJob, 'code'>, trans: TranslationBundle): Promise<void> {
  const index = panel.content.widgets.length === 0 ? 0 : panel.content.activeCellIndex + 1;
  await insertAttach(panel.content, index, { ...job, code: '' }, manager, trans);
}

/** Jobs can be dropped on this notebook, until it is disposed of. */
export function acceptJobs(panel: NotebookPanel, manager: IClusterManager, trans: TranslationBundle): void {
  const { content } = panel;
  const { node } = content;
  const unmark = () => { node.querySelector(`.${TARGET_CLASS}`)?.classList.remove(TARGET_CLASS); };
  const handle = (event: Event) => {
    const drag = event as Event & DragParts;
    if (!drag.mimeData.hasData(JOB_MIME)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    unmark();
    const readOnly = content.model?.readOnly ?? true;
    drag.dropAction = readOnly ? 'none' : drag.proposedAction;
    const index = indexAt(content, event.target);
    if (event.type === 'lm-drop') {
      const job = draggedJob(drag.mimeData);
      if (job !== null && !readOnly) {
        void insertAttach(content, index, job, manager, trans);
      }
    } else if (event.type !== 'lm-dragleave' && !readOnly) {
      content.widgets[index]?.node.classList.add(TARGET_CLASS);
    }
  };
  const types = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-drop'];
  // Before the notebook's own, which are for cells, and before an editor, which would take the text.
  types.forEach(type => { node.addEventListener(type, handle, true); });
  panel.disposed.connect(() => { types.forEach(type => { node.removeEventListener(type, handle, true); }); });
}

/** The cell before which something dropped here belongs; behind the last, if it is on none. */
function indexAt(notebook: Notebook, target: EventTarget | null): number {
  const index = target instanceof Node ? notebook.widgets.findIndex(cell => cell.node.contains(target)) : -1;
  return index < 0 ? notebook.widgets.length : index;
}

/** What was dragged; it may come from another extension, so that its shape is looked at. */
export function draggedJob(data: MimeData): IDraggedJob | null {
  const dragged: unknown = data.getData(JOB_MIME);
  let found = dragged;
  if (typeof dragged === 'string') {
    try {
      found = JSON.parse(dragged) as unknown;
    } catch {
      return null;
    }
  }
  const { cluster, job_id, code } = (found ?? {}) as Partial<Record<keyof IDraggedJob, unknown>>;
  return typeof job_id === 'string' && job_id !== ''
    ? { job_id, cluster: typeof cluster === 'string' ? cluster : '', code: typeof code === 'string' ? code : '' }
    : null;
}

async function insertAttach(notebook: Notebook, index: number, job: IDraggedJob, manager: IClusterManager, trans: TranslationBundle): Promise<void> {
  if (notebook.model === null || notebook.model.readOnly) {
    await showErrorMessage(trans.__('No cell was added'), trans.__('This notebook is read-only. Save a copy and use that.'));
    return;
  }
  const code = job.code === '' ? await attachCode(manager, job) : job.code;
  notebook.model.sharedModel.insertCell(index, { cell_type: 'code', source: code, metadata: {} });
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  await NotebookActions.focusActiveCell(notebook);
}

async function attachCode(manager: IClusterManager, job: Omit<IDraggedJob, 'code'>): Promise<string> {
  const cluster = job.cluster === '' ? manager.current.peek() : job.cluster;
  try {
    const facts = await manager.ask<IJobFacts>('GET', `clusters/${encodeURIComponent(cluster)}/jobs/${encodeURIComponent(job.job_id)}`);
    if (facts.attach !== '') {
      return facts.attach;
    }
  } catch {
    // The server does not know it now; the kernel may, and says so if not.
  }
  return `%gcs attach ${job.job_id} --on ${cluster}`;
}
