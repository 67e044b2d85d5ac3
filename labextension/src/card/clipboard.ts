// Text to the clipboard, also where the browser gives a page no access to it.

/** Whether it was copied. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that did not come by https, or a browser that was told no: the old way.
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('aria-hidden', 'true');
    area.style.position = 'fixed';
    area.style.opacity = '0';
    const before = document.activeElement;
    // Within an open dialog only its own elements can have the focus.
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const copied = oldWay();
    area.remove();
    if (before instanceof HTMLElement) {
      before.focus({ preventScroll: true });
    }
    return copied;
  }
}

function oldWay(): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return document.execCommand('copy');
  } catch {
    return false;
  }
}
