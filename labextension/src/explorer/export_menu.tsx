// What is shown, as a file: the records and the page by the host, pictures by the browser itself.
import { useState } from 'preact/hooks';

import type { PictureFormat } from '../face/chart_library';
import { wordsOf } from '../face/connection';
import { MenuButton } from '../face/menu_button';
import { saveAddress, saveFile } from '../face/save_file';
import type { IMenuItem } from '../grid/popup_menu';
import type { ExplorerStore } from './store';

const FILES = [['csv', 'Records as CSV'], ['parquet', 'Records as Parquet'], ['html', 'This view as an HTML page']] as const;

export function ExportButton({ store }: { store: ExplorerStore }) {
  const [working, setWorking] = useState(false);
  const off = working ? 'it is being made' : store.live.value ? '' : store.host.gone;
  const fetch = async (format: (typeof FILES)[number][0]) => {
    setWorking(true);
    try {
      const { name, mime, content, path, note } = await store.connection.ask('export', { format });
      if (content !== '') {
        saveFile(name, mime, content);
      }
      store.book.note([content === '' ? `Written to ${path} on ${store.host.owner} machine.` : `Saved ${name}.`, note].filter(one => one !== '').join(' '));
    } catch (why) {
      store.book.note(wordsOf(why), true);
    }
    setWorking(false);
  };
  const items = (): (IMenuItem | null)[] => [
    ...FILES.map(([format, label]) => ({ label, press: () => { void fetch(format); } })), null,
    { label: 'All figures as PNG', press: () => { void savePictures(store, [...store.pictures.keys()], 'png'); } },
    { label: 'All figures as SVG', press: () => { void savePictures(store, [...store.pictures.keys()], 'svg'); } }, null,
    ...groundItems(store)
  ];
  return <MenuButton label="Export" off={off} title="What is shown now, as a file" items={items} />;
}

/** On which ground pictures stand. */
export function groundItems(store: ExplorerStore): IMenuItem[] {
  const dark = store.memory.get('pictures') === 'dark';
  return [
    { label: 'Pictures on white', checked: !dark, press: () => { store.memory.set({ pictures: 'light' }); } },
    { label: 'Pictures on dark', checked: dark, press: () => { store.memory.set({ pictures: 'dark' }); } }
  ];
}

export async function savePictures(store: ExplorerStore, names: readonly string[], format: PictureFormat): Promise<void> {
  const cluster = store.welcome.value?.cluster ?? '';
  const dark = store.memory.get('pictures') === 'dark';
  try {
    for (const name of names) {
      const address = await store.pictures.get(name)?.(format, dark);
      if (address !== undefined) {
        saveAddress(`${[cluster, name].filter(part => part !== '').join('-').replaceAll(/[^\w.-]+/g, '_')}.${format}`, address);
      }
    }
    store.book.note(names.length === 0 ? 'There is no figure here to save.' : `Saved ${names.length} ${names.length === 1 ? 'picture' : 'pictures'}.`);
  } catch (why) {
    store.book.note(`The picture cannot be made here: ${wordsOf(why)}`, true);
  }
}
