// Code that attaches to a job, as a cell of a notebook has it: what the server says of a job (`attach`), known at once.
import type { IPanelJob } from '../../protocol/panel_messages';

/** What came from a notebook shows its outputs and hands over its variables; any other job is an object. */
export function attachCode(cluster: string, job: Pick<IPanelJob, 'job_id' | 'kind'>): string {
  if (job.kind === 'cell' || job.kind === 'sweep' || job.kind === 'notebook') {
    // An id alone would mean the job of that id on the cluster that the notebook uses.
    return `%load_ext gcs_lab\n%gcs attach ${job.job_id} --on ${/^[\w.@%+=:,/-]+$/.test(cluster) ? cluster : `'${cluster}'`}`;
  }
  // JSON's text is Python's too.
  return `import gcs_lab\n\njob = gcs_lab.connect(${JSON.stringify(cluster)}).jobs.job(${JSON.stringify(job.job_id)})\njob.info()`;
}
