// The cell that makes what is shown.
import { useEffect, useRef, useState } from 'preact/hooks';

import { copyText } from '../card/clipboard';
import { wordsOf } from '../face/connection';
import { Press } from '../face/parts';
import type { ExplorerStore } from './store';

export function CodeButton({ store, id }: { store: ExplorerStore; id: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Press label="Code" title="A cell that makes what is shown" off={store.live.value ? '' : store.host.gone} onPress={() => { setOpen(true); }} />
      {open && <CodeDialog store={store} id={id} onClose={() => { setOpen(false); }} />}
    </>
  );
}

function CodeDialog({ store, id, onClose }: { store: ExplorerStore; id: string; onClose: () => void }) {
  const node = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [trouble, setTrouble] = useState('');
  const [copied, setCopied] = useState('');
  useEffect(() => {
    node.current?.showModal();
    let over = false;
    store.connection.ask('code', {}).then(
      answer => { if (!over) { setText(answer.text); } },
      (why: unknown) => { if (!over) { setTrouble(wordsOf(why)); } }
    );
    return () => { over = true; };
  }, []);
  const close = () => {
    // Before it leaves the page: the browser gives the focus back to where it was.
    node.current?.close();
    onClose();
  };
  const copy = async () => {
    setCopied(await copyText(text) ? 'Copied.' : 'The browser does not let this page copy: mark the text by hand.');
  };
  return (
    <dialog
      ref={node} class="gcs-dialog gcs-code-dialog" aria-labelledby={`${id}-code`} data-lm-suppress-shortcuts="true"
      onCancel={event => { event.preventDefault(); close(); }}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Escape') {
          event.preventDefault();
          close();
        }
      }}
    >
      <h3 id={`${id}-code`}>A cell that makes this view</h3>
      {trouble !== '' && <p class="gcs-alarm-text" role="alert">{trouble}</p>}
      {trouble === '' && (
        <pre class="gcs-code-text" tabIndex={0} role="region" aria-label="code" aria-busy={text === ''}><code>{text === '' ? 'writing…' : text}</code></pre>
      )}
      <div class="gcs-dialog-buttons">
        <span role="status" class="gcs-dim">{copied}</span>
        <Press label="Copy" primary off={text === '' ? 'there is no text yet' : ''} onPress={() => { void copy(); }} />
        <Press label="Close" onPress={close} />
      </div>
    </dialog>
  );
}
