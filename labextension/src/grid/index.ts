// The entry of the widget of one table that anywidget loads.
import type { IModel } from '../card/widget';
import type { ClientMessage, HostMessage } from '../protocol/messages';
import { widgetChannel } from '../protocol/widget_channel';
import type { TableHostMessage } from './table_messages';
import { TableView } from './table_view';

export default function grid(): { render(context: { model: IModel; el: HTMLElement }): () => void } {
  return {
    render({ model, el }) {
      const channel = widgetChannel(model);
      const view = new TableView(message => { channel.send(message as ClientMessage); });
      channel.onMessage((message: HostMessage) => { view.receive(message as TableHostMessage); });
      channel.onLive(() => { view.orphan(); });
      el.append(view.node);
      view.hello();
      return () => {
        view.dispose();
        channel.end();
      };
    }
  };
}
