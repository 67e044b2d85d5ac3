// Opens the notebook that submitted a job, and shows the cell.
import { Notification } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

const FLASH_CLASS = 'jp-gcs-lab-flash';
const FLASH_MILLISECONDS = 1600;
/** Without it a notification is kept, but not shown. */
const NOTE_MILLISECONDS = 8000;

export interface ICellPlace {
  notebook: string;
  cell: string;
  job_id: string;
  /** The number that the cell had in the notebook; 0 is not known. */
  execution_count: number;
}

export async function goToCell(documents: IDocumentManager, place: ICellPlace, trans: TranslationBundle): Promise<void> {
  if (place.notebook === '') {
    Notification.warning(trans.__('Job %1 was not submitted from a notebook below the folder of this server, so there is no cell to go to.', place.job_id), { autoClose: NOTE_MILLISECONDS });
    return;
  }
  // A document that is not there never becomes ready.
  const there = await documents.services.contents.get(place.notebook, { content: false }).then(() => true, () => false);
  const panel = there ? documents.openOrReveal(place.notebook) : undefined;
  if (!(panel instanceof NotebookPanel)) {
    Notification.warning(trans.__('%1 could not be opened as a notebook. It may have been moved or renamed since job %2 was submitted.', place.notebook, place.job_id), { autoClose: NOTE_MILLISECONDS });
    return;
  }
  await panel.revealed;
  await panel.context.ready;
  const { content } = panel;
  const index = findCell(content.widgets, place);
  const cell = content.widgets[index];
  if (cell === undefined) {
    Notification.warning(trans.__('The cell that submitted job %1 is not in %2 any more.', place.job_id, place.notebook), { autoClose: NOTE_MILLISECONDS });
    return;
  }
  content.deselectAll();
  content.activeCellIndex = index;
  content.mode = 'command';
  await content.scrollToItem(index, 'center');
  await NotebookActions.focusActiveCell(content, { preventScroll: true });
  flash(cell);
}

/** By its id; else the one that was executed under this number. -1: neither. */
export function findCell(cells: readonly Cell[], place: Pick<ICellPlace, 'cell' | 'execution_count'>): number {
  const found = place.cell === '' ? -1 : cells.findIndex(one => one.model.id === place.cell);
  return found >= 0 || place.execution_count <= 0
    ? found
    : cells.findIndex(one => one.model.type === 'code' && (one.model as ICodeCellModel).executionCount === place.execution_count);
}

function flash(cell: Cell): void {
  cell.addClass(FLASH_CLASS);
  window.setTimeout(() => {
    if (!cell.isDisposed) {
      cell.removeClass(FLASH_CLASS);
    }
  }, FLASH_MILLISECONDS);
}
