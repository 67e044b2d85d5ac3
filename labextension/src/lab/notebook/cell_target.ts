// Whether a cell can be a job, in words if it cannot.
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { headOf, type CellHead } from './cell_line';

export interface ICellFacts {
  type: string;
  source: string;
  /** Whether the notebook, or this cell, cannot be written. */
  readOnly: boolean;
  language: string;
  kernel: 'none' | 'idle' | 'busy' | 'starting' | 'dead';
}

export interface ICellVerdict {
  /** Why it cannot be a job at all; ''. */
  never: string;
  /** Why it cannot be run now, though a line can be inserted; ''. */
  notNow: string;
  notes: string[];
  head: CellHead;
}

const SCRIPTS: Partial<Record<string, string>> = { '%%bash': 'bash', '%%sh': 'sh', '%%script': 'bash', '%%perl': 'perl', '%%ruby': 'ruby', '%%R': 'R', '%%julia': 'julia' };

export function factsOf(panel: NotebookPanel, cell: Cell): ICellFacts {
  const session = panel.sessionContext.session;
  const status = session?.kernel?.status;
  return {
    type: cell.model.type,
    source: cell.model.sharedModel.getSource(),
    readOnly: (panel.model?.readOnly ?? false) || cell.model.getMetadata('editable') === false,
    language: panel.model?.defaultKernelLanguage ?? '',
    kernel: status === undefined || session?.kernel === null
      ? 'none'
      : status === 'dead' ? 'dead' : status === 'idle' ? 'idle' : status === 'busy' ? 'busy' : 'starting'
  };
}

export function judge(facts: ICellFacts, trans: TranslationBundle): ICellVerdict {
  const head = headOf(facts.source);
  return { never: whyNever(facts, head, trans), notNow: whyNotNow(facts, trans), notes: notesOf(facts, trans), head };
}

function whyNever(facts: ICellFacts, head: CellHead, trans: TranslationBundle): string {
  if (facts.type !== 'code') {
    return trans.__('This is a %1 cell. Only a code cell can become a job: choose one, or change its type.', facts.type);
  }
  if (head.kind === 'empty' || (head.kind === 'gcs' && facts.source.trim().split('\n').length < 2 && facts.source.trim() === '%%gcs')) {
    return trans.__('This cell is empty. Write what the job shall do, then run it on the cluster.');
  }
  if (facts.readOnly) {
    return trans.__('This notebook or cell is read-only, so the line of the job cannot be put in. Save a copy and use that.');
  }
  if (head.kind === 'other') {
    const language = SCRIPTS[head.name];
    return language === undefined
      ? trans.__('This cell begins with %1, and a cell has one magic only. Take that line away, or move the code to a cell of its own.', head.name)
      : trans.__('This cell begins with %1, and a cell has one magic only. Take that line away, and write --lang %2 under "More flags".', head.name, language);
  }
  if (facts.language !== '' && facts.language.toLowerCase() !== 'python') {
    return trans.__('The kernel of this notebook speaks %1; a cell becomes a job by a magic of IPython. Use a Python kernel (a cell in %1 with --lang), or run the file from the file browser.', facts.language);
  }
  return '';
}

function whyNotNow(facts: ICellFacts, trans: TranslationBundle): string {
  switch (facts.kernel) {
    case 'none': return trans.__('This notebook has no kernel, so nothing can be run now; the line can be inserted. Choose a kernel in the menu Kernel.');
    case 'dead': return trans.__('The kernel is dead, so nothing can be run now; the line can be inserted. Restart it in the menu Kernel.');
    default: return '';
  }
}

function notesOf(facts: ICellFacts, trans: TranslationBundle): string[] {
  switch (facts.kernel) {
    case 'busy': return [trans.__('The kernel is busy: the job is sent when the cells before it have ended.')];
    case 'starting': return [trans.__('The kernel is starting: the job is sent when it is ready.')];
    default: return [];
  }
}
