// What a view is given by its tab; and what the tab is told by it.
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlySignal } from '@preact/signals';
import type { CommandRegistry } from '@lumino/commands';

import type { IClusterManager } from '../tokens';
import type { IViewArgs, ViewKind } from './view_args';

export interface IViewContext {
  readonly kind: ViewKind;
  readonly manager: IClusterManager;
  readonly commands: CommandRegistry;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
  /** Opened by a person, not with the layout: a cluster that was stopped is started for it. */
  readonly wake?: boolean;
  /** What is to be shown; it changes when somebody asks for another task, filter or cluster. */
  readonly args: ReadonlySignal<IViewArgs>;
  /** Grows when what is to be shown was asked for from outside: the view begins anew with `args`. */
  readonly asked: ReadonlySignal<number>;
  /** A person chose something else within the view. */
  keep(different: Partial<IViewArgs>): void;
  /** Show another cluster. */
  use(cluster: string): void;
  /** Words for the tab; `caption` is its tooltip. */
  setTitle(label: string, caption: string): void;
}

export interface IShownView {
  dispose(): void;
}
