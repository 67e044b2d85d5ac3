// What anywidget loads: ties a model in the kernel to the views in the page.
import type { IPress } from './card_state';

/** What is used of the model that anywidget hands out. */
export interface IModel {
  get(name: string): unknown;
  on(event: string, callback: (...values: never[]) => void): void;
  off(event: string, callback: (...values: never[]) => void): void;
  send(content: unknown): void;
}

/** One view of a card. */
export interface IView<S, R> {
  readonly node: HTMLElement;
  update(state: S): void;
  updatePress(press: IPress): void;
  receive(answer: R): void;
  orphan(): void;
  dispose(): void;
}

interface IContext {
  model: IModel;
}

interface IViewContext extends IContext {
  el: HTMLElement;
}

export interface IWidget {
  initialize(context: IContext): void;
  render(context: IViewContext): () => void;
}

/**
 * @param traits - the model's traits that are shown; the first has the kernel's time as `now`
 * @param read - puts them together
 * @param make - makes a view; `send` carries a message to the kernel, `now` tells the kernel's time in seconds
 */
export function cardWidget<S extends { now: number }, R>(
  traits: [string, ...string[]],
  read: (model: IModel) => S,
  make: (state: S, send: (message: unknown) => void, now: () => number) => IView<S, R>
): IWidget {
  // Called once for each model; all its views share what is closed over here. The browser's clock may differ from the
  // kernel's: durations are counted by the kernel's.
  let ahead = 0;

  function initialize({ model }: IContext): void {
    const compare = () => {
      ahead = read(model).now - Date.now() / 1000;
    };
    compare();
    model.on(`change:${traits[0]}`, compare);
  }

  function render({ model, el }: IViewContext): () => void {
    const view = make(
      read(model),
      message => { model.send(message); },
      () => Date.now() / 1000 + ahead
    );
    const onState = () => { view.update(read(model)); };
    const onPress = () => { view.updatePress(model.get('press') as IPress); };
    const onMessage = (message: R) => { view.receive(message); };
    // Widget managers say so when the kernel was restarted or has died; they never take it back for the same model.
    const onOrphan = () => { view.orphan(); };
    const listeners: [string, (...values: never[]) => void][] = [
      ...traits.map((name): [string, () => void] => [`change:${name}`, onState]),
      ['change:press', onPress],
      ['msg:custom', onMessage],
      ['comm_live_update', onOrphan]
    ];
    onPress();
    for (const [event, callback] of listeners) {
      model.on(event, callback);
    }
    el.append(view.node);
    return () => {
      for (const [event, callback] of listeners) {
        model.off(event, callback);
      }
      view.dispose();
      view.node.remove();
    };
  }

  return { initialize, render };
}
