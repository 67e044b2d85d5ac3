// The last values of the form, by notebook, in JupyterLab's own state of this workspace.
import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import type { IJobForm } from '../../protocol/rest';
import { emptyForm, lasting } from './job_form';

export interface IRemembered {
  cluster: string;
  form: IJobForm;
}

export class RememberedForms {
  constructor(private readonly state: IStateDB | null) {}

  /** null if nothing was kept, or not in this shape. */
  async of(path: string): Promise<IRemembered | null> {
    const kept: unknown = await this.state?.fetch(this.#key(path)).catch(() => undefined);
    if (typeof kept !== 'object' || kept === null || !('form' in kept) || typeof kept.form !== 'object') {
      return null;
    }
    const { cluster } = kept as Partial<IRemembered>;
    return { cluster: typeof cluster === 'string' ? cluster : '', form: { ...emptyForm(), ...kept.form } };
  }

  async keep(path: string, cluster: string, form: IJobForm): Promise<void> {
    const value = { cluster, form: lasting(form) } as unknown as ReadonlyPartialJSONValue;
    // What cannot be kept is asked again the next time; the job goes on.
    await this.state?.save(this.#key(path), value).catch(() => undefined);
  }

  #key(path: string): string {
    return `gcs-lab:form:${path}`;
  }
}
