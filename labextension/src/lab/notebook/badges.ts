// Badges in one notebook: a cell that has a job shows its state beside the prompt. Cells come and go, move, and are
// drawn when they come into view; a badge is put where its cell is, by the cell's id.
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { ICellJob, ICells } from '../../protocol/panel_messages';
import { makeBadge } from './badge_look';

type Badge = ReturnType<typeof makeBadge>;

export class NotebookBadges implements IDisposable {
  readonly #badges = new Map<Cell, Badge>();
  readonly #awaited = new WeakSet<Cell>();
  #cells: ICells['cells'] = {};
  #planned = false;
  #disposed = false;

  constructor(private readonly panel: NotebookPanel, private readonly trans: TranslationBundle, private readonly onPress: (job: ICellJob) => void) {
    panel.content.model?.cells.changed.connect(this.#later, this);
    panel.content.modelChanged.connect(this.#newModel, this);
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  show(cells: ICells['cells']): void {
    this.#cells = cells;
    this.#place();
  }

  dispose(): void {
    this.#disposed = true;
    Signal.clearData(this);
    this.#badges.forEach(badge => { badge.node.remove(); });
    this.#badges.clear();
  }

  #newModel(): void {
    this.panel.content.model?.cells.changed.connect(this.#later, this);
    this.#later();
  }

  /** The widgets of cells follow their models: look when all of it is done, once. */
  #later(): void {
    if (!this.#planned) {
      this.#planned = true;
      requestAnimationFrame(() => {
        this.#planned = false;
        this.#place();
      });
    }
  }

  #place(): void {
    if (this.#disposed || this.panel.isDisposed) {
      return;
    }
    for (const [cell, badge] of this.#badges) {
      if (cell.isDisposed || this.#cells[cell.model.id] === undefined) {
        badge.node.parentElement?.classList.remove('jp-gcs-lab-has-badge');
        badge.node.remove();
        this.#badges.delete(cell);
      }
    }
    for (const cell of this.panel.content.widgets) {
      const job = this.#cells[cell.model.id];
      if (job !== undefined && cell.model.type === 'code') {
        this.#put(cell, job);
      }
    }
  }

  #put(cell: Cell, job: ICellJob): void {
    const place = cell.isPlaceholder() ? null : cell.inputArea?.node;
    if (place === null || place === undefined) {
      // It is drawn when it is scrolled to.
      if (!this.#awaited.has(cell)) {
        this.#awaited.add(cell);
        void cell.ready.then(() => { this.#later(); }, () => undefined);
      }
      return;
    }
    const badge = this.#badges.get(cell) ?? makeBadge(this.onPress);
    this.#badges.set(cell, badge);
    badge.show(job, this.trans);
    if (badge.node.parentElement !== place) {
      place.append(badge.node);
      place.classList.add('jp-gcs-lab-has-badge');
    }
  }
}
