// The entry that anywidget loads: ties a model in the kernel to the views in the page.
import type { IJob, IPress } from './job';
import type { ILogAnswer } from './log_panel';
import { CardView } from './view';

/** What is used of the model that anywidget hands out. */
export interface IModel {
  get(name: 'job'): IJob;
  get(name: 'press'): IPress;
  on(event: string, callback: (...values: never[]) => void): void;
  off(event: string, callback: (...values: never[]) => void): void;
  send(content: unknown): void;
}

interface IContext {
  model: IModel;
}

interface IViewContext extends IContext {
  el: HTMLElement;
}

/** Called once for each model; all its views share what is closed over here. */
export default function jobCard() {
  // The browser's clock may differ from the kernel's: durations are counted by the kernel's.
  let ahead = 0;

  function initialize({ model }: IContext): void {
    const compare = () => {
      ahead = model.get('job').now - Date.now() / 1000;
    };
    compare();
    model.on('change:job', compare);
  }

  function render({ model, el }: IViewContext): () => void {
    const view = new CardView(
      model.get('job'),
      message => { model.send(message); },
      () => Date.now() / 1000 + ahead
    );
    const onJob = () => { view.updateJob(model.get('job')); };
    const onPress = () => { view.updatePress(model.get('press')); };
    const onMessage = (message: ILogAnswer) => { view.receive(message); };
    // Widget managers say so when the kernel was restarted or has died; they never take it back for the same model.
    const onOrphan = () => { view.orphan(); };
    onPress();
    model.on('change:job', onJob);
    model.on('change:press', onPress);
    model.on('msg:custom', onMessage);
    model.on('comm_live_update', onOrphan);
    el.append(view.node);
    return () => {
      model.off('change:job', onJob);
      model.off('change:press', onPress);
      model.off('msg:custom', onMessage);
      model.off('comm_live_update', onOrphan);
      view.dispose();
      view.node.remove();
    };
  }

  return { initialize, render };
}
