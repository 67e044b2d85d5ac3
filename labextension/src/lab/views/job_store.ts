// All that a Job tab knows: what the cluster tells of the job while it has it, and what the user's journal and the job's
// folder have kept of it.
import { batch, computed, effect, signal } from '@preact/signals';

import { CockpitStore } from '../../cockpit/store';
import { SERVER } from '../../face/host_words';
import type { IProblem } from '../../protocol/envelope';
import type { ClientMessage, HostMessage } from '../../protocol/messages';
import type { IJobFacts } from '../../protocol/rest';
import { ClusterError, type IClusterManager, type IFaceChannel } from '../tokens';

/** What nobody tells of is asked for at this pace, while the job lives and somebody looks. */
const PAUSE_MILLISECONDS = 15_000;
/** The journal hears of an end a little later than the queue. */
const SOON_MILLISECONDS = 2_000;

export class JobStore {
  /** Its host follows the job in the queue: facts, tasks, reasons, actions. */
  readonly cockpit: CockpitStore;
  readonly channel: IFaceChannel<ClientMessage, HostMessage>;
  readonly facts = signal<IJobFacts | null>(null);
  /** Why the journal and the folder tell nothing. */
  readonly problem = signal<IProblem | null>(null);
  readonly task = signal<number | null>(null);
  /** What the cluster tells, as long as it is of the task that is shown. */
  readonly details = computed(() => this.cockpit.details.value);
  /** The name of its DRMAA2 state, "ERROR" in error state; '' while nothing is known. */
  readonly state = computed(() => {
    const details = this.details.value;
    const facts = this.facts.value;
    if (details !== null && (!details.gone || facts === null)) {
      return details.letters.includes('E') ? 'ERROR' : details.state;
    }
    return facts?.state ?? '';
  });
  readonly name = computed(() => this.facts.value?.name ?? this.details.value?.name ?? '');
  /** Whether nothing of it will change any more. */
  readonly over = computed(() => {
    const facts = this.facts.value;
    return facts !== null && (facts.ended !== null || facts.state === 'DONE' || facts.state === 'FAILED');
  });
  /** Whether it has tasks: then which one is shown is a choice. */
  readonly array = computed(() => (this.details.value?.array ?? false) || (this.facts.value?.tasks ?? 0) > 0);
  /** Nobody knows this job. */
  readonly unknown = computed(() => {
    const details = this.details.value;
    return this.problem.value !== null && this.facts.value === null && (details === null || (details.gone && details.name === ''));
  });
  /** Grows when all of it is to be asked again. */
  readonly round = signal(0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;
  private readonly endings: (() => void)[];

  constructor(private readonly manager: IClusterManager, readonly cluster: string, readonly jobId: string, task: number | null) {
    this.channel = manager.open<ClientMessage, HostMessage>('cockpit', { cluster });
    this.cockpit = new CockpitStore(this.channel, { host: SERVER });
    this.task.value = task;
    this.cockpit.open(jobId, task);
    let seen = '';
    this.endings = [
      effect(() => {
        const details = this.details.value;
        const now = details === null ? '' : `${details.state} ${details.letters} ${details.gone}`;
        if (now !== seen) {
          seen = now;
          this.askSoon(details?.gone === true ? SOON_MILLISECONDS : 0);
        }
      }),
      effect(() => {
        if (this.cockpit.visible.value && this.cockpit.live.value && !this.over.peek()) {
          this.askSoon(0);
        }
      })
    ];
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    this.endings.forEach(end => { end(); });
    this.cockpit.dispose();
    this.channel.dispose();
  }

  /** Below `gcs-lab/api/`. */
  path(what = ''): string {
    const job = `clusters/${encodeURIComponent(this.cluster)}/jobs/${encodeURIComponent(this.jobId)}`;
    return what === '' ? job : `${job}/${what}`;
  }

  ask<T>(what: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
    return this.manager.ask<T>('GET', this.path(what), { query });
  }

  show(task: number | null): void {
    if (task !== this.task.peek()) {
      this.task.value = task;
      this.cockpit.open(this.jobId, task);
    }
  }

  /** Ask again now. */
  refresh(): void {
    this.round.value += 1;
    this.channel.retry();
    this.cockpit.open(this.jobId, this.task.peek());
    this.askSoon(0);
  }

  private askSoon(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { void this.askFacts(); }, milliseconds);
  }

  private async askFacts(): Promise<void> {
    try {
      const facts = await this.ask<IJobFacts>('');
      if (!this.disposed) {
        batch(() => {
          this.facts.value = facts;
          this.problem.value = null;
        });
      }
    } catch (why) {
      if (!this.disposed) {
        this.problem.value = why instanceof ClusterError ? why.problem : { message: String(why), type: 'Unknown' };
      }
    }
    const { visible, live } = this.cockpit;
    if (!this.disposed && visible.peek() && live.peek() && !this.over.peek()) {
      if (this.cockpit.details.peek() === null) {
        // It was submitted a moment ago, or has left the queue.
        this.cockpit.open(this.jobId, this.task.peek());
      }
      this.askSoon(PAUSE_MILLISECONDS);
    }
  }
}
