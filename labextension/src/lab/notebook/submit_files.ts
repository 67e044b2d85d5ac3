// Notebooks and scripts of the file browser as jobs.
import { Notification, showErrorMessage } from '@jupyterlab/apputils';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands';
import type { IClusterManager } from '../tokens';
import { showForm, type IFormResult } from './form_dialog';
import { kindOf } from './form_model';
import { parametersOf, type IParameterRow } from './parameters';
import type { RememberedForms } from './remembered_forms';

interface ISubmitFiles {
  paths: readonly string[];
  manager: IClusterManager;
  contents: Contents.IManager;
  commands: CommandRegistry;
  forms: RememberedForms;
  trans: TranslationBundle;
}

export async function submitFiles(part: ISubmitFiles): Promise<void> {
  const { paths, manager, contents, forms, trans } = part;
  const [first] = paths;
  if (first === undefined) {
    await showErrorMessage(trans.__('Nothing to run on the cluster'), trans.__('Choose notebooks (.ipynb) or scripts (.sh, .bash, .py, .R, .jl) in the file browser first.'));
    return;
  }
  if (paths.some(path => contents.driveName(path) !== '')) {
    await showErrorMessage(trans.__('These files cannot run on the cluster'), trans.__('They are on another drive than the files of this server. Copy them there first.'));
    return;
  }
  const kept = await forms.of(first);
  const title = paths.length === 1 ? trans.__('Run %1 on the cluster', first.slice(first.lastIndexOf('/') + 1)) : trans.__('Run %1 files on the cluster', paths.length);
  const chosen = await showForm({
    title,
    manager,
    trans,
    start: { kind: kindOf(first), paths, cluster: kept?.cluster ?? '', form: kept?.form ?? null, parameters: await parametersIn(paths, contents), notes: [] }
  });
  if (chosen !== null) {
    await forms.keep(first, chosen.cluster, chosen.form);
    tell(chosen, part);
  }
}

/** Parameters that the chosen notebooks have, each name once. */
async function parametersIn(paths: readonly string[], contents: Contents.IManager): Promise<IParameterRow[]> {
  const rows = new Map<string, IParameterRow>();
  for (const path of paths.filter(one => kindOf(one) === 'notebook')) {
    try {
      const { content } = await contents.get(path) as { content: unknown };
      parametersOf(content).forEach(row => { rows.set(row.name, rows.get(row.name) ?? row); });
    } catch {
      // A notebook that cannot be read is refused by the server, with the reason.
    }
  }
  return [...rows.values()];
}

function tell({ submitted, cluster }: IFormResult, { commands, trans, paths }: ISubmitFiles): void {
  const [first] = submitted;
  if (first === undefined) {
    return;
  }
  const missing = paths.length - submitted.length;
  const text = submitted.length === 1
    ? first.job.text
    : trans.__('%1 jobs were submitted to %2: %3', submitted.length, cluster, submitted.map(one => one.job.job_id).join(', '));
  const message = missing === 0 ? text : `${text} ${trans._n('%1 file was not submitted.', '%1 files were not submitted.', missing)}`;
  const open = () => { void commands.execute(CommandIDs.openJob, { cluster, job_id: first.job.job_id }); };
  Notification.emit(message, missing === 0 ? 'success' : 'warning', {
    autoClose: missing === 0 ? 8000 : false,
    actions: [{ label: submitted.length === 1 ? trans.__('Open job') : trans.__('Open the first'), callback: open }]
  });
}
