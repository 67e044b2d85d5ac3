// Names of all commands; each plugin adds those of its own part.

export const CommandIDs = {
  // Views (tabs)
  openQueue: 'gcs-lab:open-queue',
  openAccounting: 'gcs-lab:open-accounting',
  openHosts: 'gcs-lab:open-hosts',
  /** args: {cluster?, job_id, task?} */
  openJob: 'gcs-lab:open-job',
  // Panel
  showPanel: 'gcs-lab:show-panel',
  /** args: {job_id, action} */
  actOnJob: 'gcs-lab:act-on-job',
  // Clusters (platform)
  startDemo: 'gcs-lab:start-cluster',
  chooseCluster: 'gcs-lab:choose-cluster',
  // Notebook
  runCellAsJob: 'gcs-lab:run-cell-as-job',
  /** With its own line, or the values of the last time */
  runCellAgain: 'gcs-lab:run-cell-again',
  /** args: {notebook, cell, job_id} */
  goToCell: 'gcs-lab:go-to-cell',
  /** args: {cluster?, job_id}: a cell with the code that attaches to it, below the active one */
  attachToJob: 'gcs-lab:attach-to-job',
  // Files
  submitFile: 'gcs-lab:submit-file'
} as const;

/** What a dragged job carries, as JSON {cluster, job_id, name, code}; text/plain has the code. */
export const JOB_MIME = 'application/vnd.gcs-lab.job+json';
