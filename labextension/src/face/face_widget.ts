// What anywidget loads of a page with a host in the kernel: a view of the model's one host, and the static page beside it.
import type { IModel } from '../card/widget';
import type { IChannel } from '../protocol/messages';
import { widgetChannel } from '../protocol/widget_channel';

export interface IFaceOptions {
  /** Fill the node's height (a panel); else the page has a height of its own (the output of a cell). */
  fill?: boolean;
  /** Else: how high it is, CSS pixels. */
  height?: number;
}

export interface IFace {
  dispose(): void;
}

interface IViewContext {
  model: IModel;
  el: HTMLElement;
}

interface ISeen {
  kind: 'visible';
  visible: boolean;
}

/** Views of a model that are seen: a notebook may show one output twice, and its host works while either is seen. */
const seen = new WeakMap<IModel, Set<object>>();

/**
 * @param idTrait - the trait with the id of the static page, `gcs-static-<id>`
 */
export function faceWidget<Out extends { kind: string }, In>(
  mount: (node: HTMLElement, channel: IChannel<Out, In>, options: IFaceOptions) => IFace, idTrait: string
): { render(context: IViewContext): () => void } {
  function render({ model, el }: IViewContext): () => void {
    const channel = widgetChannel<Out, In>(model);
    const height = model.get('_height');
    const face = mount(el, shared(model, channel), typeof height === 'number' && height > 0 ? { height } : {});
    let end: () => void = () => undefined;
    // Not before the host answers: a notebook that was exported may have this program, but never a host.
    const answered = channel.onMessage(() => {
      answered();
      end = hideStatic(model.get(idTrait));
    });
    return () => {
      answered();
      end();
      face.dispose();
      channel.end();
    };
  }
  return { render };
}

/** A view's own way to the host that all views of the model share. */
function shared<Out extends { kind: string }, In>(model: IModel, channel: IChannel<Out, In>): IChannel<Out, In> {
  const view = {};
  const views = seen.get(model) ?? new Set<object>();
  seen.set(model, views);
  views.add(view);
  return {
    ...channel,
    send(message) {
      if (!isSeen(message)) {
        channel.send(message);
        return;
      }
      if (message.visible) {
        views.add(view);
      } else {
        views.delete(view);
      }
      channel.send({ ...message, visible: views.size > 0 });
    }
  };
}

function isSeen<Out extends { kind: string }>(message: Out): message is Out & ISeen {
  return message.kind === 'visible';
}

/** What follows in the notebook is for pages without a kernel. It may come later than the live page. */
function hideStatic(id: unknown): () => void {
  if (typeof id !== 'string' || id === '') {
    return () => undefined;
  }
  const style = document.createElement('style');
  style.textContent = `#${CSS.escape(`gcs-static-${id}`)} { display: none }`;
  document.head.append(style);
  return () => { style.remove(); };
}
