// Building blocks of the page. Text only ever enters it as text, never as HTML.
const SVG = 'http://www.w3.org/2000/svg';

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Write `text` only if it changes, so that a screen reader and the browser have nothing to do otherwise. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
  target.hidden = text === '';
}

export function button(label: string, onPress: () => void): HTMLButtonElement {
  const made = element('button', 'gcs-button', { type: 'button' }, label);
  made.addEventListener('click', onPress);
  return made;
}

/** A drawing of 16 by 16 made of one stroked path. */
export function icon(path: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'gcs-icon');
  const drawn = document.createElementNS(SVG, 'path');
  drawn.setAttribute('d', path);
  svg.append(drawn);
  return svg;
}

/**
 * Keep a key from the notebook around: there a letter deletes a cell, an arrow moves to another, Enter edits one.
 * JupyterLab's `data-lm-suppress-shortcuts` does not hold for shortcuts of whatever has the focus (`:focus`).
 */
export function keepKey(event: KeyboardEvent): void {
  const whole = event.ctrlKey || event.metaKey || event.altKey;
  // Also those that are about text and rows: all, copy, cut, paste, undo.
  if (!whole || 'acxvz'.includes(event.key.toLowerCase())) {
    event.stopPropagation();
  }
}
