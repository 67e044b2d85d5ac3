// What the form holds and asks: the catalogue of its cluster, the line that the values mean, the advice of records.
import { signal } from '@preact/signals';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICatalogue, IClusterInfo, IComplex, IFormAdvice, IJobForm, IPlanAnswer, IPlanRequest, ISubmitRequest, ISubmitted } from '../../protocol/rest';
import type { IClusterManager } from '../tokens';
import { formProblems } from './field_rules';
import { byFullName, emptyForm, formOfFlags } from './job_form';
import { quoteWord } from './line_words';
import { readParameters, type IParameterRow } from './parameters';

const PLAN_REST_MILLISECONDS = 150;
const ADVICE_REST_MILLISECONDS = 400;

export interface IFormStart {
  kind: IPlanRequest['kind'];
  /** As JupyterLab has them: the notebook of the cell, or the files that become jobs. */
  paths: readonly string[];
  /** Of the line that is there or was used last; '' for the one that the panel shows. */
  cluster: string;
  /** null: the user's last values of the catalogue. */
  form: IJobForm | null;
  parameters: readonly IParameterRow[];
  /** What is good to know before anything is sent: "The kernel is busy …". */
  notes: readonly string[];
}

export class FormModel {
  readonly cluster = signal('');
  readonly catalogue = signal<ICatalogue | null>(null);
  readonly form = signal<IJobForm>(emptyForm());
  readonly parameters = signal<readonly IParameterRow[]>([]);
  readonly plan = signal<IPlanAnswer | null>(null);
  /** Whether `plan` is of the values that are shown. */
  readonly current = signal(false);
  readonly advice = signal<IFormAdvice | null>(null);
  /** By field: what the page itself sees wrong. */
  readonly wrong = signal<Readonly<Record<string, string>>>({});
  /** Why there is no catalogue or no plan, or why a job was refused. */
  readonly trouble = signal('');
  readonly working = signal(false);
  readonly submitted: { path: string; job: ISubmitted }[] = [];

  #planTimer = 0;
  #adviceTimer = 0;
  #asked = 0;
  #planning: Promise<void> = Promise.resolve();
  #taking: Promise<void> = Promise.resolve();
  readonly #gone = new AbortController();

  constructor(readonly manager: IClusterManager, readonly start: IFormStart, readonly trans: TranslationBundle) {
    this.form.value = start.form ?? emptyForm();
    this.parameters.value = start.parameters;
    const known = manager.clusters.peek();
    const first = known.find(one => one.name === start.cluster) ?? known.find(one => one.name === manager.current.peek()) ?? known[0];
    void this.use(first?.name ?? start.cluster);
  }

  get clusters(): readonly IClusterInfo[] {
    return this.manager.clusters.value;
  }

  get complexes(): readonly IComplex[] {
    return this.catalogue.value?.complexes ?? [];
  }

  /** Take another cluster: its own catalogue, the same values. */
  use(cluster: string): Promise<void> {
    this.#taking = this.#take(cluster);
    return this.#taking;
  }

  async #take(cluster: string): Promise<void> {
    const begun = this.cluster.peek() === '';
    this.cluster.value = cluster;
    [this.catalogue.value, this.plan.value, this.advice.value, this.trouble.value] = [null, null, null, ''];
    if (cluster === '') {
      this.trouble.value = this.trans.__('There is no cluster to use from here. Start one from the launcher, or by its command "Start cluster".');
      return;
    }
    try {
      const query = this.start.kind === 'cell' ? { notebook: this.start.paths[0] } : {};
      const found = await this.manager.ask<ICatalogue>('GET', `${this.#base(cluster)}/catalogue`, { query, signal: this.#gone.signal });
      if (this.#gone.signal.aborted || this.cluster.peek() !== cluster) {
        return;
      }
      this.catalogue.value = found;
      const form = begun && this.start.form === null ? { ...formOfFlags(found.last), name: this.form.peek().name } : this.form.peek();
      this.change({ requests: byFullName(form.requests, found.complexes) }, form);
      this.#askAdvice(0);
    } catch (why) {
      this.#tell(why);
    }
  }

  /** Start the chosen cluster, which was not started. */
  async startCluster(): Promise<void> {
    const name = this.cluster.peek();
    this.working.value = true;
    try {
      await this.manager.startCluster(name);
      await this.use(name);
    } catch (why) {
      this.#tell(why);
    } finally {
      this.working.value = false;
    }
  }

  change(values: Partial<IJobForm>, base = this.form.peek()): void {
    const named = values.name !== undefined && values.name !== this.form.peek().name;
    this.form.value = { ...base, ...values };
    this.changed();
    if (named) {
      this.#askAdvice(ADVICE_REST_MILLISECONDS);
    }
  }

  request(name: string, value: string | null): void {
    const others = Object.entries(this.form.peek().requests).filter(([one]) => one !== name || value !== null);
    this.change({ requests: { ...Object.fromEntries(others), ...(value === null ? {} : { [name]: value }) } });
  }

  /** Take what the records advise. */
  takeAdvice(): void {
    const advised = this.advice.peek()?.requests ?? [];
    this.change({ requests: { ...this.form.peek().requests, ...Object.fromEntries(advised.map(one => [one.name, one.value])) } });
  }

  setParameters(rows: readonly IParameterRow[]): void {
    this.parameters.value = rows;
    this.changed();
  }

  changed(): void {
    this.wrong.value = formProblems(this.form.peek(), this.complexes, this.trans);
    this.current.value = false;
    this.#asked += 1;
    window.clearTimeout(this.#planTimer);
    this.#planTimer = window.setTimeout(() => { this.#planning = this.#askPlan(); }, PLAN_REST_MILLISECONDS);
  }

  /** Problems by field: what the page sees, and what the server said of these values. '' is of no field. */
  problems(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { field, message } of this.current.value ? this.plan.value?.problems ?? [] : []) {
      const key = this.#fieldOf(field);
      found[key] = found[key] === undefined ? message : `${found[key]} ${message}`;
    }
    return { ...found, ...this.wrong.value };
  }

  /** The line of exactly these values; null if something is wrong with them, which the form then shows. */
  async settled(): Promise<string | null> {
    // Who presses before the cluster has said what it has, means what is there then.
    await this.#taking;
    if (this.cluster.peek() === '' || Object.keys(this.wrong.peek()).length > 0) {
      return null;
    }
    if (!this.current.peek()) {
      window.clearTimeout(this.#planTimer);
      this.#planning = this.#askPlan();
    }
    await this.#planning;
    const plan = this.plan.peek();
    return this.current.peek() && plan !== null && plan.problems.length === 0 && plan.line !== '' ? plan.line : null;
  }

  /** Send the files that were not sent yet. False if one was refused: then `trouble` says why. */
  async submit(): Promise<boolean> {
    const given = readParameters(this.parameters.peek());
    this.working.value = true;
    this.trouble.value = '';
    try {
      for (const path of this.start.paths.filter(one => !this.submitted.some(sent => sent.path === one))) {
        const body: ISubmitRequest = {
          kind: kindOf(path),
          path,
          form: this.plainForm(),
          ...(kindOf(path) === 'notebook' && Object.keys(given).length > 0 ? { parameters: given } : {})
        };
        const job = await this.manager.ask<ISubmitted>('POST', `${this.#base(this.cluster.peek())}/submit`, { body });
        this.submitted.push({ path, job });
      }
      return true;
    } catch (why) {
      this.#tell(why);
      return false;
    } finally {
      this.working.value = false;
    }
  }

  /** The values without spaces around them and without empty requests. */
  plainForm(): IJobForm {
    const form = this.form.peek();
    const requests = Object.entries(form.requests).map(([name, value]) => [name, value.trim()] as const).filter(([, value]) => value !== '');
    const texts = Object.fromEntries(Object.entries(form).map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value]));
    return { ...form, ...texts, slots: form.parallel_environment === '' ? '' : form.slots.trim(), requests: Object.fromEntries(requests) };
  }

  dispose(): void {
    this.#gone.abort();
    window.clearTimeout(this.#planTimer);
    window.clearTimeout(this.#adviceTimer);
  }

  async #askPlan(): Promise<void> {
    const asked = this.#asked;
    const cluster = this.cluster.peek();
    if (this.catalogue.peek() === null || Object.keys(this.wrong.peek()).length > 0) {
      return;
    }
    const [path = ''] = this.start.paths;
    const body: IPlanRequest = { kind: this.start.kind, form: this.#lineForm(), path };
    try {
      const plan = await this.manager.ask<IPlanAnswer>('POST', `${this.#base(cluster)}/plan`, { body, signal: this.#gone.signal });
      if (asked === this.#asked && cluster === this.cluster.peek()) {
        [this.plan.value, this.current.value, this.trouble.value] = [plan, true, ''];
      }
    } catch (why) {
      if (asked === this.#asked) {
        this.#tell(why);
      }
    }
  }

  #askAdvice(rest: number): void {
    window.clearTimeout(this.#adviceTimer);
    this.#adviceTimer = window.setTimeout(() => {
      const [cluster, name] = [this.cluster.peek(), this.form.peek().name.trim()];
      const query = { name: name === '' ? undefined : name };
      this.manager.ask<IFormAdvice>('GET', `${this.#base(cluster)}/advice`, { query, signal: this.#gone.signal }).then(
        advice => { this.advice.value = cluster === this.cluster.peek() && advice.text !== '' ? advice : null; },
        // A cluster without records: the form does not need them.
        () => { this.advice.value = null; }
      );
    }, rest);
  }

  /** A cell is sent by the kernel: it must be told of a cluster that it would not take by itself. */
  #lineForm(): IJobForm {
    const form = this.plainForm();
    const cluster = this.cluster.peek();
    const preset = this.catalogue.peek()?.defaults['--on'] ?? this.manager.clusters.peek().find(one => one.chosen)?.name;
    return this.start.kind !== 'cell' || cluster === preset ? form : { ...form, more: `--on ${quoteWord(cluster)} ${form.more}`.trim() };
  }

  #base(cluster: string): string {
    return `clusters/${encodeURIComponent(cluster)}`;
  }

  #fieldOf(field: string): string {
    const form = this.form.peek();
    const plain = field.replace(/^form\./, '');
    const name = plain.replace(/^requests\./, '');
    return name in form.requests || (name !== plain && name !== '') ? `requests.${name}` : plain in form ? plain : '';
  }

  #tell(why: unknown): void {
    if (!this.#gone.signal.aborted) {
      this.trouble.value = why instanceof Error ? why.message : String(why);
    }
  }
}

export function kindOf(path: string): 'notebook' | 'script' {
  return path.toLowerCase().endsWith('.ipynb') ? 'notebook' : 'script';
}
