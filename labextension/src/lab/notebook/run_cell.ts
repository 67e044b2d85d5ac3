// The current cell as a job: by the form, or at once with the values of the last time.
import { showErrorMessage } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPlanAnswer, IPlanRequest } from '../../protocol/rest';
import type { IClusterManager } from '../tokens';
import { withLine } from './cell_line';
import { factsOf, judge, type ICellVerdict } from './cell_target';
import { showForm } from './form_dialog';
import type { IFormStart } from './form_model';
import { readLine } from './job_form';
import { loadMagic } from './kernel_magic';
import type { IRemembered, RememberedForms } from './remembered_forms';

export interface IRunCell {
  panel: NotebookPanel;
  manager: IClusterManager;
  forms: RememberedForms;
  trans: TranslationBundle;
}

/** Show the form for the active cell, and do what was chosen. */
export async function runActiveCell(part: IRunCell): Promise<void> {
  const { panel, manager, forms, trans } = part;
  const found = await target(part);
  if (found === null) {
    return;
  }
  const { cell, verdict } = found;
  const path = panel.context.path;
  const start = startOf(path, verdict, await forms.of(path));
  const chosen = await showForm({ title: trans.__('Run this cell on the cluster'), manager, start, trans, cannotRun: verdict.notNow });
  await back(panel, cell);
  if (chosen === null || cell.isDisposed) {
    return;
  }
  await forms.keep(path, chosen.cluster, chosen.form);
  putLine(cell, chosen.line);
  if (chosen.what === 'run') {
    await execute(part, cell);
  }
}

/** Run the active cell with its own line, else with the last values of this notebook; ask only if there are none. */
export async function runCellAgain(part: IRunCell): Promise<void> {
  const { panel, manager, forms, trans } = part;
  const found = await target(part);
  if (found === null) {
    return;
  }
  const { cell, verdict } = found;
  const kept = await forms.of(panel.context.path);
  if (verdict.notNow !== '') {
    await refuse(verdict.notNow, trans);
  } else if (verdict.head.kind === 'gcs') {
    await execute(part, cell);
  } else if (kept === null) {
    await runActiveCell(part);
  } else {
    const body: IPlanRequest = { kind: 'cell', form: kept.form, path: panel.context.path };
    const cluster = kept.cluster === '' ? manager.current.peek() : kept.cluster;
    try {
      const plan = await manager.ask<IPlanAnswer>('POST', `clusters/${encodeURIComponent(cluster)}/plan`, { body });
      if (plan.problems.length > 0) {
        // The form says what is wrong, at its fields.
        await runActiveCell(part);
        return;
      }
      putLine(cell, plan.line);
      await execute(part, cell);
    } catch (why) {
      await showErrorMessage(trans.__('The cell was not run on the cluster'), why instanceof Error ? why : String(why));
    }
  }
}

async function target({ panel, trans }: IRunCell): Promise<{ cell: Cell; verdict: ICellVerdict } | null> {
  const cell = panel.content.activeCell;
  if (cell === null) {
    await refuse(trans.__('No cell is chosen. Click the one that shall run on the cluster.'), trans);
    return null;
  }
  const verdict = judge(factsOf(panel, cell), trans);
  if (verdict.never !== '') {
    await refuse(verdict.never, trans);
    await back(panel, cell);
    return null;
  }
  return { cell, verdict };
}

function startOf(path: string, verdict: ICellVerdict, kept: IRemembered | null): IFormStart {
  const { head } = verdict;
  const read = head.kind === 'gcs' ? readLine(head.line) : null;
  const notes = [...verdict.notes, ...(verdict.notNow === '' ? [] : [verdict.notNow])];
  return { kind: 'cell', paths: [path], parameters: [], notes, cluster: read === null ? kept?.cluster ?? '' : read.cluster, form: read?.form ?? kept?.form ?? null };
}

function putLine(cell: Cell, line: string): void {
  const shared = cell.model.sharedModel;
  const source = withLine(shared.getSource(), line);
  if (source !== shared.getSource()) {
    shared.setSource(source);
  }
}

async function execute({ panel, trans }: IRunCell, cell: Cell): Promise<void> {
  const kernel = panel.sessionContext.session?.kernel;
  if (kernel !== null && kernel !== undefined && kernel.status !== 'busy') {
    const problem = await loadMagic(kernel, trans);
    if (problem !== '') {
      await refuse(problem, trans);
      return;
    }
  }
  const index = panel.content.widgets.indexOf(cell);
  if (index >= 0) {
    panel.content.deselectAll();
    panel.content.activeCellIndex = index;
    await NotebookActions.run(panel.content, panel.sessionContext);
  }
}

async function refuse(message: string, trans: TranslationBundle): Promise<void> {
  await showErrorMessage(trans.__('This cell cannot run on the cluster'), message);
}

/** The keyboard goes back to where it was. */
async function back(panel: NotebookPanel, cell: Cell): Promise<void> {
  if (!panel.isDisposed && !cell.isDisposed) {
    await NotebookActions.focusActiveCell(panel.content, { waitUntilReady: false, preventScroll: true });
  }
}
