// A button that opens a menu below it.
import { below, openMenu, type IMenuItem } from '../grid/popup_menu';

interface IMenuButton {
  label: string;
  /** For a screen reader, where the label alone does not say it. */
  name?: string;
  title?: string | undefined;
  off?: string;
  items: () => (IMenuItem | null)[];
}

export function MenuButton({ label, name, title, off = '', items }: IMenuButton) {
  return (
    <button
      type="button" class="gcs-button" aria-haspopup="menu" title={off === '' ? title : off}
      onClick={event => {
        const host = event.currentTarget.closest<HTMLElement>('.gcs-face');
        if (off === '' && host !== null) {
          openMenu(host, below(event.currentTarget), name ?? label, items);
        }
      }}
      {...(name === undefined ? {} : { 'aria-label': name })}
      {...(off === '' ? {} : { 'aria-disabled': 'true', 'aria-description': off })}
    >
      {label} <span aria-hidden="true">▾</span>
    </button>
  );
}
