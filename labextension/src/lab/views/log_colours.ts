// Colours of a line (SGR of ECMA-48) as classes of JupyterLab's own theme, and what was searched for in it.

export interface IPart {
  text: string;
  /** '' or `ansi-red-fg ansi-bold`: JupyterLab's names. */
  look: string;
  /** Other colours than the sixteen. */
  colour?: string;
  ground?: string;
  found: boolean;
}

interface ILook {
  fg: number | string | null;
  bg: number | string | null;
  bold: boolean;
  underline: boolean;
  inverse: boolean;
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// eslint-disable-next-line no-control-regex
const COLOURS = /\x1b\[([0-9;:]*)m/g;
const PLAIN: ILook = { fg: null, bg: null, bold: false, underline: false, inverse: false };

/** The text alone. */
export function plainText(line: string): string {
  return line.includes('\x1b') ? line.replace(COLOURS, '') : line;
}

/** @param search - what to mark; capitals count only if it has some */
export function partsOf(line: string, search = ''): IPart[] {
  const parts: IPart[] = [];
  let look = PLAIN;
  let at = 0;
  if (line.includes('\x1b')) {
    for (const match of line.matchAll(COLOURS)) {
      push(parts, line.slice(at, match.index), look);
      look = changed(look, match[1] ?? '');
      at = match.index + match[0].length;
    }
  }
  push(parts, line.slice(at), look);
  return search === '' ? parts : marked(parts, search);
}

function push(parts: IPart[], text: string, look: ILook): void {
  if (text === '') {
    return;
  }
  const [fg, bg] = look.inverse ? [look.bg ?? 'var(--gcs-ground)', look.fg ?? 'var(--gcs-text)'] : [look.fg, look.bg];
  const words = [
    typeof fg === 'number' ? `ansi-${nameOf(fg)}-fg` : '', typeof bg === 'number' ? `ansi-${nameOf(bg)}-bg` : '',
    look.bold ? 'ansi-bold' : '', look.underline ? 'ansi-underline' : ''
  ];
  parts.push({
    text, look: words.filter(word => word !== '').join(' '), found: false,
    ...(typeof fg === 'string' ? { colour: fg } : {}), ...(typeof bg === 'string' ? { ground: bg } : {})
  });
}

function nameOf(number: number): string {
  return `${NAMES[number % 8] ?? 'black'}${number >= 8 ? '-intense' : ''}`;
}

function changed(before: ILook, sequence: string): ILook {
  const codes = sequence.split(/[;:]/).map(Number);
  let look = before;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, at + 1);
      look = { ...look, [code === 38 ? 'fg' : 'bg']: colour };
      at += used;
    } else {
      look = simple(look, code);
    }
  }
  return look;
}

function simple(look: ILook, code: number): ILook {
  switch (code) {
    case 0: return PLAIN;
    case 1: return { ...look, bold: true };
    case 4: return { ...look, underline: true };
    case 7: return { ...look, inverse: true };
    case 22: return { ...look, bold: false };
    case 24: return { ...look, underline: false };
    case 27: return { ...look, inverse: false };
    case 39: return { ...look, fg: null };
    case 49: return { ...look, bg: null };
    default: break;
  }
  const [tens, ones] = [Math.floor(code / 10), code % 10];
  if (ones > 7) {
    return look;
  }
  const places: Record<number, Partial<ILook>> = { 3: { fg: ones }, 4: { bg: ones }, 9: { fg: 8 + ones }, 10: { bg: 8 + ones } };
  return { ...look, ...places[tens] };
}

/** A colour of 256, or of red, green and blue; and how many codes tell it. */
function extended(codes: number[], at: number): [number | string | null, number] {
  if (codes[at] === 2) {
    const [red = 0, green = 0, blue = 0] = codes.slice(at + 1, at + 4);
    return [`rgb(${red} ${green} ${blue})`, 4];
  }
  const number = codes[at + 1] ?? 0;
  if (number < 16) {
    return [number, 2];
  }
  if (number >= 232) {
    const grey = 8 + 10 * (number - 232);
    return [`rgb(${grey} ${grey} ${grey})`, 2];
  }
  const level = (part: number) => (part === 0 ? 0 : 55 + 40 * part);
  const cube = number - 16;
  return [`rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`, 2];
}

/** Cut where the searched text begins and ends; it may reach over several colours. */
function marked(parts: IPart[], search: string): IPart[] {
  const text = parts.map(part => part.text).join('');
  const places = placesOf(text, search);
  const cut: IPart[] = [];
  let from = 0;
  for (const part of parts) {
    const end = from + part.text.length;
    const edges = [...new Set([from, ...places.flat().filter(place => place > from && place < end), end])];
    edges.slice(1).forEach((edge, place) => {
      const start = edges[place] ?? from;
      const found = places.some(([first, last]) => start >= first && edge <= last);
      cut.push({ ...part, text: text.slice(start, edge), found });
    });
    from = end;
  }
  return cut;
}

function placesOf(text: string, search: string): [number, number][] {
  const exact = search !== search.toLowerCase();
  // Lower case may be longer than the text itself: then places would not be those of the text.
  const lower = exact ? text : text.toLowerCase();
  const within = lower.length === text.length ? lower : text;
  const places: [number, number][] = [];
  let at = within.indexOf(search);
  while (at >= 0) {
    places.push([at, at + search.length]);
    at = within.indexOf(search, at + search.length);
  }
  return places;
}
