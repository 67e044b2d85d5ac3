// A menu on the top of the page: of a column, of what can be copied, of the columns to choose from.
import { element } from '../card/dom';

export interface IMenuItem {
  label: string;
  /** A tick before it; the menu stays open when it is pressed. */
  checked?: boolean;
  off?: boolean;
  press(): void;
}

let open: (() => void) | undefined;

/**
 * @param host - within which the menu stands, so that it has its styles
 * @param at - where, in pixels of the window
 * @param items - made anew after each press that leaves the menu open; null is a line between
 */
export function openMenu(host: HTMLElement, at: { x: number; y: number }, label: string, items: () => (IMenuItem | null)[]): void {
  open?.();
  const back = host.ownerDocument.activeElement;
  const menu = element('div', 'gcs-menu', { role: 'menu', 'aria-label': label, tabindex: '-1', popover: 'manual', 'data-lm-suppress-shortcuts': 'true' });
  const entries = () => [...menu.querySelectorAll<HTMLElement>('[role^=menuitem]')];

  function close(): void {
    open = undefined;
    document.removeEventListener('pointerdown', onOutside, true);
    window.removeEventListener('resize', close);
    menu.remove();
    if (back instanceof HTMLElement && (document.activeElement === document.body || document.activeElement === null)) {
      back.focus({ preventScroll: true });
    }
  }

  function onOutside(event: Event): void {
    if (!event.composedPath().includes(menu)) {
      close();
    }
  }

  function press(item: IMenuItem): void {
    if (item.off === true) {
      return;
    }
    if (item.checked === undefined) {
      close();
      item.press();
    } else {
      const place = entries().findIndex(entry => entry === document.activeElement);
      item.press();
      fill();
      entries()[Math.max(0, place)]?.focus();
    }
  }

  function fill(): void {
    menu.replaceChildren(...items().map(item => {
      if (item === null) {
        return element('div', 'gcs-menu-line', { role: 'separator' });
      }
      const made = element('div', 'gcs-menu-item', {
        role: item.checked === undefined ? 'menuitem' : 'menuitemcheckbox', tabindex: '-1',
        ...(item.checked === undefined ? {} : { 'aria-checked': String(item.checked) }),
        ...(item.off === true ? { 'aria-disabled': 'true' } : {})
      }, item.label);
      made.addEventListener('click', () => { press(item); });
      return made;
    }));
  }

  menu.addEventListener('keydown', event => {
    const all = entries();
    const present = all.findIndex(entry => entry === document.activeElement);
    const go = (place: number) => { all[(place + all.length) % all.length]?.focus(); };
    if (event.key === 'ArrowDown') {
      go(present + 1);
    } else if (event.key === 'ArrowUp') {
      go(present < 0 ? -1 : present - 1);
    } else if (event.key === 'Home') {
      go(0);
    } else if (event.key === 'End') {
      go(-1);
    } else if (event.key === 'Enter' || event.key === ' ') {
      all[present]?.click();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      close();
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      go([...all.slice(present + 1), ...all.slice(0, present + 1)].map(entry => all.indexOf(entry))
        .find(place => all[place]?.textContent.toLowerCase().startsWith(letter) === true) ?? present);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  fill();
  host.append(menu);
  // The top layer: no output area or panel cuts it off.
  if ('showPopover' in menu && typeof menu.showPopover === 'function') {
    menu.showPopover();
  }
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(at.x, innerWidth - width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(at.y, innerHeight - height - 4))}px`;
  entries()[0]?.focus({ preventScroll: true });
  document.addEventListener('pointerdown', onOutside, true);
  window.addEventListener('resize', close);
  open = close;
}

/** The place below an element. */
export function below(node: HTMLElement): { x: number; y: number } {
  const box = node.getBoundingClientRect();
  return { x: box.left, y: box.bottom + 2 };
}
