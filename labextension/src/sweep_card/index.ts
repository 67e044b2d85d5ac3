// The entry of a sweep's card that anywidget loads.
import { cardWidget, type IModel, type IWidget } from '../card/widget';
import type { ISweep } from './sweep';
import { SweepCardView } from './view';

function read(model: IModel): ISweep {
  const strip = model.get('strip') as DataView;
  return {
    ...(model.get('sweep') as Omit<ISweep, 'strip'>),
    strip: new Uint8Array(strip.buffer, strip.byteOffset, strip.byteLength)
  };
}

export default function sweepCard(): IWidget {
  return cardWidget(['sweep', 'strip'], read, (sweep, send, now) => new SweepCardView(sweep, send, now));
}
