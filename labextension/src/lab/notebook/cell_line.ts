// The first line of a cell: whether it is a magic, and how `%%gcs …` is put there or replaced.

export type CellHead =
  | { kind: 'plain' }
  | { kind: 'empty' }
  /** `line`: what follows `%%gcs`, with the lines that it goes on in after a backslash. */
  | { kind: 'gcs'; line: string }
  /** Another cell magic; `name` with its percent signs. */
  | { kind: 'other'; name: string };

interface IHeadPlace {
  head: CellHead;
  /** Where in the source the first line begins, and where what follows it does. */
  first: number;
  rest: number;
}

export function headOf(source: string): CellHead {
  return placeOf(source).head;
}

/** The source with this line (`%%gcs submit …`) as its first, instead of the `%%gcs` line that it may have. */
export function withLine(source: string, line: string): string {
  const { head, first, rest } = placeOf(source);
  return head.kind === 'gcs' ? `${source.slice(0, first)}${line}\n${source.slice(rest)}` : `${line}\n${source}`;
}

/** Whether IPython needs gcs_lab's magics to run this. */
export function usesMagic(source: string): boolean {
  return /^[ \t]*%{1,2}gcs(?:\s|$)/m.test(source);
}

function placeOf(source: string): IHeadPlace {
  // IPython leaves out empty lines before a cell magic.
  const first = source.length - source.replace(/^(?:[ \t]*\n)+/, '').length;
  const name = /^%%[^\s]+/.exec(source.slice(first))?.[0];
  if (source.trim() === '') {
    return { head: { kind: 'empty' }, first, rest: first };
  }
  if (name === undefined) {
    return { head: { kind: 'plain' }, first, rest: first };
  }
  if (name !== '%%gcs') {
    return { head: { kind: 'other', name }, first, rest: first };
  }
  let at = first;
  let line = '';
  let goes = true;
  while (goes && at < source.length) {
    const end = source.indexOf('\n', at);
    const written = (end < 0 ? source.slice(at) : source.slice(at, end)).trimEnd();
    at = end < 0 ? source.length : end + 1;
    goes = written.endsWith('\\');
    line += ` ${(goes ? written.slice(0, -1) : written).trim()}`;
  }
  return { head: { kind: 'gcs', line: line.trim().slice(name.length).trim() }, first, rest: at };
}
