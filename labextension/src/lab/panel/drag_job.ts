// A job under the mouse, on its way into a notebook.
import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';

import type { IPanelJob } from '../../protocol/panel_messages';
import { JOB_MIME } from '../commands';
import { attachCode } from './job_code';

/** @param source - that it is dragged from */
export function dragJob(cluster: string, job: IPanelJob, at: MouseEvent, source: object): void {
  const code = attachCode(cluster, job);
  const mimeData = new MimeData();
  mimeData.setData(JOB_MIME, { cluster, job_id: job.job_id, name: job.name, code });
  mimeData.setData('text/plain', code);
  const dragImage = document.createElement('div');
  dragImage.className = 'jp-gcs-lab-drag-image';
  dragImage.textContent = `${job.name} (${job.job_id})`;
  const drag = new Drag({ mimeData, dragImage, source, supportedActions: 'copy', proposedAction: 'copy' });
  void drag.start(at.clientX, at.clientY).then(() => { drag.dispose(); });
}
