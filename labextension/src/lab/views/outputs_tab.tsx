// What a job drew and returned, by JupyterLab's own renderers. It was written by a job, and not by this page's notebook:
// it is shown as a notebook that is not trusted, without its scripts.
import { OutputArea, OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import type { IOutput } from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { wordsOf } from '../../face/connection';
import type { IOutputs } from '../../protocol/rest';
import type { JobStore } from './job_store';
import { useLookingAgain } from './looking_again';

const LOOK_MILLISECONDS = 4000;

interface IOutputsTab {
  store: JobStore;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  shown: boolean;
}

export function OutputsTab(props: IOutputsTab) {
  const task = props.store.task.value;
  return <Displays key={task ?? ''} task={task} {...props} />;
}

function Displays({ store, rendermime, trans, shown, task }: IOutputsTab & { task: number | null }) {
  const place = useRef<HTMLDivElement>(null);
  const model = useRef<OutputAreaModel | null>(null);
  const [told, setTold] = useState<IOutputs | null>(null);
  const [trouble, setTrouble] = useState('');
  const version = useRef(-1);
  const seen = shown && store.cockpit.visible.value && store.cockpit.live.value;

  // While the node is in the page: Lumino's widgets want to know when they come and go.
  useLayoutEffect(() => {
    const node = place.current;
    if (node === null) {
      return undefined;
    }
    const made = new OutputAreaModel({ trusted: false });
    const area = new SimplifiedOutputArea({ model: made, rendermime, contentFactory: OutputArea.defaultContentFactory });
    model.current = made;
    MessageLoop.sendMessage(area, Widget.Msg.BeforeAttach);
    node.append(area.node);
    MessageLoop.sendMessage(area, Widget.Msg.AfterAttach);
    return () => {
      model.current = null;
      MessageLoop.sendMessage(area, Widget.Msg.BeforeDetach);
      area.node.remove();
      MessageLoop.sendMessage(area, Widget.Msg.AfterDetach);
      area.dispose();
      made.dispose();
    };
  }, []);
  const look = async (isOver: () => boolean) => {
    try {
      const answer = await store.ask<IOutputs>('outputs', { task: task ?? undefined });
      if (isOver()) {
        return false;
      }
      setTrouble('');
      if (answer.version !== version.current) {
        version.current = answer.version;
        model.current?.fromJSON(answer.outputs as unknown as IOutput[]);
        setTold(answer);
      }
    } catch (why) {
      if (!isOver()) {
        setTrouble(wordsOf(why));
      }
    }
    return !store.over.peek();
  };
  useLookingAgain({ seen, pause: LOOK_MILLISECONDS, look }, [store.over.value, store.round.value]);

  const nothing = store.over.value ? trans.__('This job drew and returned nothing.') : trans.__('Nothing was drawn or returned yet.');
  return (
    <div class="jp-gcs-lab-outputs">
      {trouble !== '' && <p class="gcs-alarm-text" role="alert">{trouble}</p>}
      {told === null && trouble === '' && <p class="gcs-dim" role="status">{trans.__('Loading…')}</p>}
      {told !== null && told.note !== '' && <p class="gcs-dim">{told.note}</p>}
      {told?.outputs.length === 0 && told.note === '' && <p class="gcs-empty gcs-dim">{nothing}</p>}
      <div ref={place} class="jp-gcs-lab-outputs-place" role="region" aria-label={trans.__('displays of the job')} />
    </div>
  );
}
