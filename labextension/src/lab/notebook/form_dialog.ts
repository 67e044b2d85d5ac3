// The form in a dialog of JupyterLab. It closes only when what it holds is good: what is wrong is shown where it is.
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { h, render } from 'preact';

import type { IJobForm, ISubmitted } from '../../protocol/rest';
import type { IClusterManager } from '../tokens';
import { idOf } from './form_ids';
import { FormModel, type IFormStart } from './form_model';
import { RunForm } from './run_form';

export interface IFormResult {
  /** `insert`: put the line into the cell. `run`: and run it. */
  what: 'insert' | 'run';
  line: string;
  cluster: string;
  form: IJobForm;
  /** Of files: the jobs that were sent. */
  submitted: readonly { path: string; job: ISubmitted }[];
}

interface IFormDialog {
  title: string;
  manager: IClusterManager;
  start: IFormStart;
  trans: TranslationBundle;
  /** Why the cell cannot be run now; '' if it can. Its line can still be inserted. */
  cannotRun?: string;
}

/** Show the form; null if it was cancelled. Files were sent when it resolves. */
export async function showForm(options: IFormDialog): Promise<IFormResult | null> {
  const { trans, start, manager, cannotRun = '' } = options;
  if (manager.clusters.peek().length === 0) {
    // The form says it if there is none.
    await manager.refreshClusters().catch(() => []);
  }
  const model = new FormModel(manager, start, trans);
  const body = new FormBody(model);
  const insert = Dialog.okButton({ label: trans.__('Insert line'), caption: trans.__('Put the line into the cell, and run nothing'), actions: ['insert'], className: 'jp-gcs-lab-second' });
  const run = Dialog.okButton({ label: trans.__('Run on cluster'), actions: ['run'] });
  const inserts = start.kind === 'cell' ? [insert] : [];
  const runs = cannotRun === '' ? [run] : [];
  const buttons = [Dialog.cancelButton({ label: trans.__('Cancel') }), ...inserts, ...runs];
  const dialog = new FormDialog(model, { title: options.title, body, buttons, defaultButton: buttons.length - 1, focusNodeSelector: `#${idOf('name')}` });
  dialog.addClass('jp-gcs-lab-form-dialog');
  try {
    const { button } = await dialog.launch();
    const line = dialog.line;
    if (!button.accept || line === null) {
      // Those that were sent before another was refused are jobs all the same.
      return model.submitted.length === 0 ? null : result(model, 'run', '');
    }
    return result(model, button.actions.includes('insert') ? 'insert' : 'run', line);
  } finally {
    model.dispose();
    dialog.dispose();
  }
}

function result(model: FormModel, what: IFormResult['what'], line: string): IFormResult {
  return { what, line, cluster: model.cluster.peek(), form: model.plainForm(), submitted: model.submitted };
}

/** The body: nothing but the place of the form. */
class FormBody extends Widget {
  constructor(private readonly model: FormModel) {
    super();
    this.addClass('jp-gcs-lab-form-body');
  }

  /** Not earlier: the dialog puts wrappers around the inputs that it is given. */
  protected override onBeforeAttach(): void {
    render(h(RunForm, { model: this.model }), this.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      render(null, this.node);
      super.dispose();
    }
  }
}

class FormDialog extends Dialog<unknown> {
  line: string | null = null;
  #good = false;
  #trying = false;
  readonly #default: number;
  readonly #accepts: readonly boolean[];

  constructor(readonly model: FormModel, options: Partial<Dialog.IOptions<unknown>> & { defaultButton: number; buttons: readonly Dialog.IButton[] }) {
    super(options);
    this.#default = options.defaultButton;
    this.#accepts = options.buttons.map(one => one.accept);
  }

  override resolve(index?: number): void {
    const wanted = index ?? this.#default;
    if (this.#good || this.#accepts[wanted] !== true) {
      super.resolve(wanted);
    } else if (!this.#trying && !this.model.working.peek()) {
      this.#trying = true;
      void this.#try(wanted).finally(() => { this.#trying = false; });
    }
  }

  override handleEvent(event: Event): void {
    if (event instanceof KeyboardEvent && event.type === 'keydown' && this.#isForms(event)) {
      // The dialog takes Enter and arrows for its own buttons, wherever they are pressed.
      return;
    }
    super.handleEvent(event);
  }

  async #try(index: number): Promise<void> {
    const line = await this.model.settled();
    if (this.isDisposed) {
      return;
    }
    if (line === null || (this.model.start.kind !== 'cell' && !await this.model.submit())) {
      this.#showWrong();
      return;
    }
    this.line = line;
    this.#good = true;
    super.resolve(index);
  }

  #isForms(event: KeyboardEvent): boolean {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const inBody = target?.closest('.jp-gcs-lab-form') ?? null;
    if (inBody === null || target === null) {
      return false;
    }
    const own = target.matches('button, summary, textarea') || target.closest('[data-gcs-enter="own"]') !== null;
    return event.key === 'Enter' ? own : target.matches('button, summary') && event.key.startsWith('Arrow');
  }

  #showWrong(): void {
    const first = Object.keys(this.model.problems()).map(field => document.getElementById(idOf(field))).find(node => node !== null);
    const fallback = this.node.querySelector<HTMLElement>('.jp-gcs-lab-preview [role=alert]');
    (first ?? null)?.focus();
    (first ?? fallback)?.scrollIntoView({ block: 'nearest' });
  }
}
