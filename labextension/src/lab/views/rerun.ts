// What is asked before the failed points of a sweep run again.
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Requests that are other this time, by name; null: it is not to be done. */
export async function askRerun(trans: TranslationBundle, name: string): Promise<Record<string, string> | null> {
  const asked = await InputDialog.getText({
    title: trans.__('Rerun the failed points of %1?', name),
    label: trans.__('Other requests, where the old ones were too small'),
    placeholder: 'h_vmem=4G,h_rt=2:00:00',
    okLabel: trans.__('Rerun')
  });
  if (!asked.button.accept) {
    return null;
  }
  const requests = requestsOf(asked.value ?? '');
  if (typeof requests === 'string') {
    await showDialog({
      title: trans.__('Nothing was submitted'), body: trans.__('"%1" is no request: write name=value, with commas between.', requests),
      buttons: [Dialog.okButton()]
    });
    return null;
  }
  return requests;
}

/** `h_vmem=4G,h_rt=1:00:00` by name; the word that is none, if there is one. */
export function requestsOf(text: string): Record<string, string> | string {
  const words = text.split(',').map(word => word.trim()).filter(word => word !== '');
  const wrong = words.find(word => !/^[^=\s]+=\S+$/.test(word));
  if (wrong !== undefined) {
    return wrong;
  }
  return Object.fromEntries(words.map(word => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}
