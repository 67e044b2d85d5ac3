// The entry of the cockpit that anywidget loads.
import type { IModel } from '../card/widget';
import type { IChannel } from '../protocol/messages';
import { widgetChannel } from '../protocol/widget_channel';
import { mountCockpit } from './cockpit';

interface IViewContext {
  model: IModel;
  el: HTMLElement;
}

/** Views of a model that are seen: a notebook may show one output twice, and its host works while either is seen. */
const seen = new WeakMap<IModel, Set<object>>();

/** A view's own way to the host that all views of the model share. */
function shared(model: IModel, channel: IChannel): IChannel {
  const view = {};
  const views = seen.get(model) ?? new Set<object>();
  seen.set(model, views);
  views.add(view);
  return {
    ...channel,
    send(message) {
      if (message.kind !== 'visible') {
        channel.send(message);
        return;
      }
      if (message.visible) {
        views.add(view);
      } else {
        views.delete(view);
      }
      channel.send({ kind: 'visible', visible: views.size > 0 });
    }
  };
}

function render({ model, el }: IViewContext): () => void {
  const channel = widgetChannel(model);
  const height = model.get('_height');
  const cockpit = mountCockpit(el, shared(model, channel), typeof height === 'number' && height > 0 ? { height } : {});
  let end: () => void = () => undefined;
  // Not before the host answers: a notebook that was exported may have this program, but never a host.
  const answered = channel.onMessage(() => {
    answered();
    end = hideStatic(model.get('_cockpit_id'));
  });
  return () => {
    answered();
    end();
    cockpit.dispose();
    channel.end();
  };
}

/** The table that follows in the notebook is for pages without a kernel. It may come later than the cockpit. */
function hideStatic(id: unknown): () => void {
  if (typeof id !== 'string' || id === '') {
    return () => undefined;
  }
  const style = document.createElement('style');
  style.textContent = `#${CSS.escape(`gcs-static-${id}`)} { display: none }`;
  document.head.append(style);
  return () => { style.remove(); };
}

export default { render };
