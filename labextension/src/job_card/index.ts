// The entry of a job's card that anywidget loads.
import { cardWidget, type IWidget } from '../card/widget';
import type { IJob } from './job';
import { JobCardView } from './view';

export default function jobCard(): IWidget {
  return cardWidget(
    ['job'],
    model => model.get('job') as IJob,
    (job, send, now) => new JobCardView(job, send, now)
  );
}
