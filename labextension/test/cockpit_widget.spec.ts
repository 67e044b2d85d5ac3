import { afterEach, describe, expect, it } from 'vitest';

import widget from '../src/cockpit/index';
import { makeWelcome } from './fake_cockpit_host';
import { FakeModel } from './fake_model';

let closers: (() => void)[] = [];

function show(model: FakeModel<object>) {
  const el = document.createElement('div');
  document.body.append(el);
  const close = widget.render({ model: model.typed(), el });
  closers.push(close);
  return { el, close };
}

function makeModel() {
  return new FakeModel('nothing', {}, { _cockpit_id: 'abc', _height: 700 });
}

afterEach(() => {
  closers.forEach(close => { close(); });
  closers = [];
  document.body.replaceChildren();
});

describe('the widget of the cockpit', () => {
  it('says hello, and has the height that was asked for', () => {
    const model = makeModel();
    const { el } = show(model);
    expect(model.sent[0]).toEqual({ kind: 'hello', protocol: 1 });
    expect(el.querySelector<HTMLElement>('.gcs-cockpit')?.style.getPropertyValue('--gcs-height')).toBe('700px');
  });

  it('hides the static page while it has a host, also one that comes later', () => {
    const hides = () => document.head.textContent.includes('#gcs-static-abc { display: none }');
    const model = makeModel();
    const { close } = show(model);
    // A program without a host (an exported notebook) takes nothing away.
    expect(hides()).toBe(false);
    model.emit('msg:custom', makeWelcome());
    expect(hides()).toBe(true);
    close();
    expect(hides()).toBe(false);
  });

  it('lets its host rest only when no view of it is seen', () => {
    const model = makeModel();
    const first = show(model);
    const second = show(model);
    first.close();
    expect(model.sent.at(-1)).toEqual({ kind: 'visible', visible: true });
    second.close();
    expect(model.sent.at(-1)).toEqual({ kind: 'visible', visible: false });
    expect(model.listening()).toBe(0);
  });

  it('says that the kernel is gone', async () => {
    const model = makeModel();
    const { el } = show(model);
    model.emit('comm_live_update');
    await new Promise(done => { setTimeout(done, 50); });
    expect(el.textContent).toContain('The kernel is gone');
  });
});
