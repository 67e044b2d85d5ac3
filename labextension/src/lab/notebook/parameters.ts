// Parameters of a notebook: papermill's cell, tagged "parameters", as rows of the form.

export interface IParameterRow {
  name: string;
  /** As Python writes it; '' leaves the notebook's own. */
  value: string;
  /** What the notebook has. */
  given: string;
}

interface INotebookContent {
  cells?: { cell_type?: string; source?: string | string[]; metadata?: { tags?: unknown } }[];
}

/** Simple assignments of the parameters cell (`alpha = 0.1  # a comment`); none if there is no such cell. */
export function parametersOf(notebook: unknown): IParameterRow[] {
  const cells = (notebook as INotebookContent | null)?.cells ?? [];
  const cell = cells.find(one => Array.isArray(one.metadata?.tags) && one.metadata.tags.includes('parameters'));
  const source = Array.isArray(cell?.source) ? cell.source.join('') : cell?.source ?? '';
  const rows: IParameterRow[] = [];
  for (const line of source.split('\n')) {
    const match = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=\s*([^=].*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      rows.push({ name: match[1], value: '', given: withoutComment(match[2]) });
    }
  }
  return rows;
}

/** What is sent: typed as papermill's `-p` does it. Rows without a name or a value are left out. */
export function readParameters(rows: readonly IParameterRow[]): Record<string, unknown> {
  const found = rows.filter(row => row.name.trim() !== '' && row.value.trim() !== '');
  return Object.fromEntries(found.map(row => [row.name.trim(), readValue(row.value.trim())]));
}

function readValue(text: string): unknown {
  const word: unknown = { True: true, False: false, None: null }[text];
  if (word !== undefined) {
    return word;
  }
  const plain = /^'([^'\\]*)'$/.exec(text);
  if (plain !== null) {
    return plain[1];
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not a number or a list: text needs no quotes.
    return text;
  }
}

function withoutComment(value: string): string {
  return (/^((?:[^#'"]|'[^']*'|"[^"]*")*)/.exec(value)?.[1] ?? value).trim();
}
