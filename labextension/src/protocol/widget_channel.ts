// The way from a widget's view to its host in the kernel: custom messages of the widget's comm.
import type { IModel } from '../card/widget';
import type { ClientMessage, HostMessage, IChannel } from './messages';

/** All views of a model hear what its host sends; `end` of {@link IWidgetChannel} lets go of the model. */
export interface IWidgetChannel<Out = ClientMessage, In = HostMessage> extends IChannel<Out, In> {
  end(): void;
}

export function widgetChannel<Out = ClientMessage, In = HostMessage>(model: IModel): IWidgetChannel<Out, In> {
  const endings = new Set<() => void>();

  function listen(event: string, callback: (...values: never[]) => void): () => void {
    model.on(event, callback);
    const end = () => {
      model.off(event, callback);
      endings.delete(end);
    };
    endings.add(end);
    return end;
  }

  return {
    send: message => { model.send(message); },
    onMessage: handler => listen('msg:custom', (message: In) => { handler(message); }),
    // Widget managers say so when the kernel was restarted or has died; they never take it back for the same model.
    onLive: handler => listen('comm_live_update', () => { handler(false); }),
    end: () => { [...endings].forEach(end => { end(); }); }
  };
}
