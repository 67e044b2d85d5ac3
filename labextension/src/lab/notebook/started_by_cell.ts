// A cell with the magic starts the embedded cluster, and the page is not told: while nobody has the panel open, nothing
// asks. It is looked a few times after such a cell was run, until the cluster is known to run.
import type { IClusterManager } from '../tokens';

/** Milliseconds between two looks: a kernel that imports for the first time takes its time. */
const PAUSES = [1_500, 2_000, 4_000, 8_000, 16_000, 30_000];

export class StartedByCell {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly manager: IClusterManager) {}

  /** A cell with the magic is being run. */
  look(step = 0): void {
    clearTimeout(this.timer);
    const pause = PAUSES[step];
    if (pause !== undefined && !this.runs()) {
      this.timer = setTimeout(() => {
        // Why it cannot be asked is shown by the connection's state.
        this.manager.refreshClusters().catch(() => undefined).finally(() => { this.look(step + 1); });
      }, pause);
    }
  }

  private runs(): boolean {
    const { clusters, current } = this.manager;
    return clusters.value.some(({ name, state }) => name === current.value && state === 'running');
  }
}
