// Dialogs and notifications around starting and choosing a cluster.
import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IClusterInfo } from '../../protocol/rest';
import { ClusterError, type IClusterManager } from '../tokens';
import { ClusterList } from './cluster_list';

/** Start a cluster that is there for trying things out. `name` '' asks which. */
export async function startDemo(manager: IClusterManager, name: string, trans: TranslationBundle): Promise<void> {
  const clusters = await asked(manager, trans);
  if (clusters === null) {
    return;
  }
  const known = clusters.find(cluster => cluster.name === name);
  if (name !== '' && known === undefined) {
    const names = clusters.map(cluster => cluster.name).join(', ');
    await showErrorMessage(trans.__('There is no cluster "%1"', name), trans.__('Clusters here: %1. Choose one of them.', names));
    return;
  }
  const startable = clusters.filter(cluster => cluster.startable);
  if (startable.length === 0) {
    await showErrorMessage(
      trans.__('No cluster can be started here'),
      trans.__('The embedded cluster and a private Grid Engine need Linux. In a terminal, "gcs-lab doctor" says what is missing.')
    );
    return;
  }
  const chosen = known ?? await chosenOf(startable, trans.__('Start a demo cluster'), trans.__('Start'), firstStopped(startable), trans);
  if (chosen?.state === 'running') {
    manager.use(chosen.name);
    Notification.info(trans.__('%1 runs already. It is shown now.', chosen.name), { autoClose: 4_000 });
  } else if (chosen !== undefined) {
    await started(manager, chosen, trans);
  }
}

/** Which cluster the panel shows; one that is stopped is started. `name` '' asks which. */
export async function chooseCluster(manager: IClusterManager, name: string, trans: TranslationBundle): Promise<void> {
  const clusters = await asked(manager, trans);
  if (clusters === null) {
    return;
  }
  if (clusters.length === 0) {
    await showErrorMessage(
      trans.__('No cluster was found'),
      trans.__('Neither a Grid Engine nor the embedded cluster can be used from here. In a terminal, "gcs-lab doctor" says why.')
    );
    return;
  }
  const chosen = clusters.find(cluster => cluster.name === name)
    ?? await chosenOf(clusters, trans.__('Choose a cluster'), trans.__('Use'), manager.current.value, trans);
  if (chosen !== undefined && chosen.state !== 'running' && chosen.startable) {
    await started(manager, chosen, trans);
  } else if (chosen !== undefined) {
    manager.use(chosen.name);
  }
}

async function asked(manager: IClusterManager, trans: TranslationBundle): Promise<readonly IClusterInfo[] | null> {
  try {
    return await manager.refreshClusters();
  } catch (error) {
    await showErrorMessage(trans.__('The clusters are not known'), said(error));
    return null;
  }
}

async function chosenOf(
  clusters: readonly IClusterInfo[],
  title: string,
  does: string,
  first: string,
  trans: TranslationBundle
): Promise<IClusterInfo | undefined> {
  const body = new ClusterList(clusters, first, trans);
  const answer = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: does })],
    focusNodeSelector: 'input:checked'
  });
  return answer.button.accept ? clusters.find(cluster => cluster.name === answer.value) : undefined;
}

/** Start it, telling of it by one notification from beginning to end. */
async function started(manager: IClusterManager, cluster: IClusterInfo, trans: TranslationBundle): Promise<void> {
  const id = Notification.emit(trans.__('Starting %1 …', cluster.name), 'in-progress', { autoClose: false });
  try {
    await manager.startCluster(cluster.name);
    Notification.update({ id, message: trans.__('%1 runs.', cluster.name), type: 'success', autoClose: 4_000 });
  } catch (error) {
    Notification.dismiss(id);
    await showErrorMessage(trans.__('%1 did not start', cluster.name), said(error));
  }
}

function firstStopped(clusters: readonly IClusterInfo[]): string {
  return clusters.find(cluster => cluster.state === 'stopped')?.name ?? '';
}

function said(error: unknown): string {
  if (error instanceof ClusterError) {
    return error.problem.message;
  }
  return error instanceof Error ? error.message : String(error);
}
