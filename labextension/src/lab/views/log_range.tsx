// Lines of a log to take along: chosen by their numbers (Shift for a range), else all of them.
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'preact/hooks';

import { copyText } from '../../card/clipboard';
import { formatCount } from '../../card/figures';
import { wordsOf } from '../../face/connection';
import { MenuButton } from '../../face/menu_button';
import type { NoteBook } from '../../face/notes';
import { saveAddress } from '../../face/save_file';
import type { IMenuItem } from '../../grid/popup_menu';
import { plainText } from './log_colours';
import type { AskLines } from './log_lines';

/** What a clipboard should be given, and what a page can hold. */
export const MOST_COPIED = 20_000;
export const MOST_SAVED = 1_000_000;
const STEP = 5_000;

interface ILogRange {
  trans: TranslationBundle;
  total: number;
  chosen: readonly [number, number] | null;
  ask: AskLines;
  note: NoteBook;
  /** Of the file. */
  name: string;
  onChoose: (chosen: null) => void;
}

export function LogRange({ trans, total, chosen, ask, note, name, onChoose }: ILogRange) {
  const [working, setWorking] = useState(false);
  const [first, end] = chosen === null ? [0, total] : [chosen[0], Math.min(chosen[1] + 1, total)];
  const count = end - first;
  const work = async (what: () => Promise<string>) => {
    setWorking(true);
    try {
      note.note(await what());
    } catch (why) {
      note.note(wordsOf(why), true);
    }
    setWorking(false);
  };
  const copy = async () => {
    const lines = await linesOf(ask, first, end);
    return await copyText(lines.join('\n'))
      ? trans.__('Copied: %1 lines.', formatCount(lines.length))
      : trans.__('The browser does not let this page copy.');
  };
  const save = async () => {
    const lines = await linesOf(ask, first, end);
    const address = URL.createObjectURL(new Blob([lines.map(line => `${line}\n`).join('')], { type: 'text/plain' }));
    saveAddress(name, address);
    // The download has begun by then.
    setTimeout(() => { URL.revokeObjectURL(address); }, 60_000);
    return trans.__('Saved %1: %2 lines.', name, formatCount(lines.length));
  };
  const off = working ? trans.__('the lines are being asked for') : count === 0 ? trans.__('there is no line') : '';
  const about = chosen === null ? trans.__('all %1 lines', formatCount(count)) : trans.__('lines %1 to %2', formatCount(first + 1), formatCount(end));
  const items = (): (IMenuItem | null)[] => [
    item(trans.__('Copy %1', about), count, MOST_COPIED, trans, () => { void work(copy); }),
    item(trans.__('Save %1', about), count, MOST_SAVED, trans, () => { void work(save); }),
    null,
    chosen === null
      ? { label: trans.__('A click on a number chooses a line, with Shift a range'), off: true, press: () => undefined }
      : { label: trans.__('Choose no line'), press: () => { onChoose(null); } }
  ];
  return <MenuButton label={trans.__('Lines')} title={trans.__('Copy or save lines')} off={off} items={items} />;
}

function item(label: string, count: number, most: number, trans: TranslationBundle, press: () => void): IMenuItem {
  return count > most ? { label: trans.__('%1 (at most %2: choose a range)', label, formatCount(most)), off: true, press } : { label, press };
}

/** An answer may have fewer lines than were asked for, where they are long. */
async function linesOf(ask: AskLines, first: number, end: number): Promise<string[]> {
  const lines: string[] = [];
  while (first + lines.length < end) {
    const told = await ask(first + lines.length, Math.min(STEP, end - first - lines.length));
    if (told.lines.length === 0) {
      break;
    }
    told.lines.forEach(line => { lines.push(plainText(line)); });
  }
  return lines;
}
