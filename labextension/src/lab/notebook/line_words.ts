// The words of a magic's line, as Python's shlex.split finds them (gcs_lab/magics/arguments.py parses with it).

export interface IWord {
  /** What the word means. */
  text: string;
  /** How it is written, with its quotes. */
  raw: string;
}

/** Words of a line; null if a quote is not closed or a backslash stands at the end. */
export function splitWords(line: string): IWord[] | null {
  const words: IWord[] = [];
  let text = '';
  let start = -1;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const letter = line.charAt(at);
    if (quote === "'") {
      [quote, text] = letter === "'" ? ['', text] : [quote, text + letter];
    } else if (quote === '"') {
      const next = line.charAt(at + 1);
      if (letter === '"') {
        quote = '';
      } else if (letter === '\\' && (next === '"' || next === '\\')) {
        text += next;
        at += 1;
      } else {
        text += letter;
      }
    } else if (/\s/.test(letter)) {
      if (start >= 0) {
        words.push({ text, raw: line.slice(start, at) });
      }
      [text, start] = ['', -1];
    } else {
      start = start < 0 ? at : start;
      if (letter === '"' || letter === "'") {
        quote = letter;
      } else if (letter === '\\') {
        at += 1;
        if (at >= line.length) {
          return null;
        }
        text += line.charAt(at);
      } else {
        text += letter;
      }
    }
  }
  if (quote !== '') {
    return null;
  }
  return start < 0 ? words : [...words, { text, raw: line.slice(start) }];
}

/** A word as it must be written so that {@link splitWords} finds it again; as Python's shlex.quote. */
export function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
