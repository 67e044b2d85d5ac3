// The panel in JupyterLab's left area: empty until it is first seen, then the view.
import { Widget } from '@lumino/widgets';

import type { IPanelPlatform } from './platform';
import type { IPanelView } from './view';

export class ClusterPanel extends Widget {
  private view: IPanelView | null = null;
  private loading = false;
  private focusing = false;

  constructor(private readonly platform: IPanelPlatform) {
    super();
    this.id = 'gcs-lab-panel';
    this.addClass('jp-gcs-lab-side');
    this.node.tabIndex = -1;
  }

  /** Tell it at the foot of the panel; false if nobody sees that. */
  note(text: string, alarm: boolean): boolean {
    if (this.view === null || !this.isVisible) {
      return false;
    }
    this.view.note(text, alarm);
    return true;
  }

  override dispose(): void {
    this.view?.dispose();
    this.view = null;
    super.dispose();
  }

  protected override onAfterAttach(): void {
    this.seen();
  }

  protected override onAfterShow(): void {
    this.seen();
  }

  protected override onActivateRequest(): void {
    if (this.view === null) {
      // Keys that follow at once are not for the notebook; `load` gives the focus on.
      this.focusing = true;
      this.node.focus();
    } else {
      this.view.focus();
    }
  }

  private seen(): void {
    if (this.isVisible && this.view === null && !this.loading) {
      this.loading = true;
      void this.load();
    }
  }

  private async load(): Promise<void> {
    try {
      const { mountPanel } = await import('./view');
      if (!this.isDisposed) {
        this.node.replaceChildren();
        this.view = mountPanel(this.node, this.platform);
        // Somebody may have gone elsewhere meanwhile, as JupyterLab does when it restores its layout.
        if (this.focusing && (document.activeElement === document.body || this.node.contains(document.activeElement))) {
          this.view.focus();
        }
      }
    } catch (why) {
      const { trans } = this.platform;
      const words = document.createElement('p');
      words.className = 'jp-gcs-lab-unloaded';
      words.setAttribute('role', 'alert');
      words.textContent = trans.__(
        'The panel could not be loaded (%1). Was gcs_lab updated since this page was opened? Reload the page.', why instanceof Error ? why.message : String(why)
      );
      this.node.replaceChildren(words);
    } finally {
      this.loading = false;
    }
  }
}
