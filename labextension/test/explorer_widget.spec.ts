import { afterEach, describe, expect, it } from 'vitest';

import widget from '../src/explorer/index';
import { makeExplorerWelcome } from './fake_explorer_host';
import { FakeModel } from './fake_model';

let closers: (() => void)[] = [];

function show(model: FakeModel<object>) {
  const el = document.createElement('div');
  document.body.append(el);
  const close = widget.render({ model: model.typed(), el });
  closers.push(close);
  return { el, close };
}

afterEach(() => {
  closers.forEach(close => { close(); });
  closers = [];
  document.body.replaceChildren();
});

describe('the widget of the explorer', () => {
  it('says hello, has the height that was asked for, and hides the static page while it has a host', () => {
    const hides = () => document.head.textContent.includes('#gcs-static-xyz { display: none }');
    const model = new FakeModel('nothing', {}, { _explorer_id: 'xyz', _height: 900 });
    const { el, close } = show(model);
    expect(model.sent[0]).toEqual({ kind: 'hello', protocol: 1 });
    expect(el.querySelector<HTMLElement>('.gcs-explorer.gcs-bounded')?.style.getPropertyValue('--gcs-height')).toBe('900px');
    expect(hides()).toBe(false);
    model.emit('msg:custom', makeExplorerWelcome());
    expect(hides()).toBe(true);
    close();
    expect(hides()).toBe(false);
    expect(model.sent.at(-1)).toEqual({ kind: 'visible', visible: false });
    expect(model.listening()).toBe(0);
  });
});
