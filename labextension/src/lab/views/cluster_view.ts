// What stands in a tab of the main area. Its program is loaded when it is first seen, so that the page starts without it.
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { signal } from '@preact/signals';
import type { CommandRegistry } from '@lumino/commands';
import { type ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { IClusterManager } from '../tokens';
import type { IViewArgs, ViewKind } from './view_args';
import type { IShownView, IViewContext } from './view_context';

export interface IClusterViewOptions {
  kind: ViewKind;
  args: IViewArgs;
  manager: IClusterManager;
  commands: CommandRegistry;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  /** Title of a tab of this kind, without its cluster. */
  label: string;
  /** As {@link IViewContext.wake}. */
  wake: boolean;
}

export class ClusterView extends Widget {
  readonly kind: ViewKind;
  private readonly args = signal<IViewArgs>({ cluster: '' });
  private readonly asked = signal(0);
  private readonly kept = new Signal<this, IViewArgs>(this);
  private shown: IShownView | null = null;
  private loading = false;

  constructor(private readonly options: IClusterViewOptions) {
    super();
    this.kind = options.kind;
    this.addClass('jp-gcs-lab-view');
    this.node.tabIndex = -1;
    this.take(options.args);
  }

  /** What it shows now. */
  get shows(): IViewArgs {
    return this.args.peek();
  }

  /** Said when it shows something else: the layout keeps it. */
  get keptChanged(): ISignal<this, IViewArgs> {
    return this.kept;
  }

  /** Show something else of the same kind. */
  showOther(args: IViewArgs): void {
    this.take(args);
    this.asked.value += 1;
    this.kept.emit(this.shows);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.shown?.dispose();
      this.shown = null;
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected override onAfterShow(): void {
    this.begin();
  }

  protected override onAfterAttach(): void {
    this.begin();
  }

  protected override onActivateRequest(): void {
    // Not away from what has it within the view.
    if (!this.node.contains(document.activeElement)) {
      this.node.focus({ preventScroll: true });
    }
  }

  private take(args: IViewArgs): void {
    this.args.value = args;
    const { label } = this.options;
    const name = this.kind === 'job' ? `${label} ${args.job_id ?? ''}` : label;
    const where = args.cluster === '' ? '' : ` · ${args.cluster}`;
    if (this.kind !== 'job') {
      this.title.label = `${name}${where}`;
    } else if (this.title.label === '') {
      // It gets the job's name as soon as that is known.
      this.title.label = name;
    }
    this.title.caption = `${name}${where}`;
  }

  private begin(): void {
    if (this.shown === null && !this.loading && this.isVisible) {
      void this.load();
    }
  }

  private async load(): Promise<void> {
    const { trans } = this.options;
    this.loading = true;
    this.say(trans.__('Loading…'));
    try {
      const { mountView } = await import('./view_page');
      if (!this.isDisposed) {
        this.node.replaceChildren();
        this.shown = mountView(this.node, this.context());
      }
    } catch (why) {
      // The program is the server's to send.
      this.say(
        trans.__('This view could not be loaded (%1). Is the Jupyter server running?', why instanceof Error ? why.message : String(why)),
        () => { void this.load(); }
      );
    }
    this.loading = false;
  }

  private say(text: string, again?: () => void): void {
    const words = document.createElement('p');
    words.textContent = text;
    const place = document.createElement('div');
    place.className = 'jp-gcs-lab-view-note';
    place.setAttribute('role', again === undefined ? 'status' : 'alert');
    place.append(words);
    if (again !== undefined) {
      const button = document.createElement('button');
      button.className = 'jp-mod-styled';
      button.textContent = this.options.trans.__('Retry');
      button.addEventListener('click', again);
      place.append(button);
    }
    this.node.replaceChildren(place);
  }

  private context(): IViewContext {
    const { kind, manager, commands, rendermime, trans, wake } = this.options;
    return {
      kind, manager, commands, rendermime, trans, wake,
      args: this.args,
      asked: this.asked,
      keep: different => {
        const next = { ...this.shows, ...different };
        if (JSON.stringify(next) !== JSON.stringify(this.shows)) {
          if (next.cluster === this.shows.cluster) {
            this.args.value = next;
          } else {
            this.take(next);
          }
          this.kept.emit(next);
        }
      },
      use: cluster => {
        // What was narrowed there means nothing here.
        this.showOther(kind === 'job' ? { ...this.shows, cluster } : { cluster });
      },
      setTitle: (label, caption) => {
        this.title.label = label;
        this.title.caption = caption;
      }
    };
  }
}
