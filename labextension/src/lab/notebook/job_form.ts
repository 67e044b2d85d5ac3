// The values of the form, read from a `%%gcs` line or from what was used before.
import type { IComplex, IJobForm } from '../../protocol/rest';
import { splitWords } from './line_words';

export function emptyForm(): IJobForm {
  return {
    verb: 'submit', name: '', queue: '', project: '', parallel_environment: '', slots: '', requests: {}, after: '',
    over: '', max_parallel: '', priority: '', more: ''
  };
}

export interface IReadLine {
  form: IJobForm;
  /** Of `--on`; '' if the line does not say it. */
  cluster: string;
}

type TextField = Exclude<keyof IJobForm, 'verb' | 'requests'>;

const FIELDS: Record<string, TextField> = {
  '-N': 'name', '-q': 'queue', '-P': 'project', '-p': 'priority', '-tc': 'max_parallel'
};

/** What a line (after `%%gcs`) asks for. All that has no field of its own stays in `more`, as it was written. */
export function readLine(line: string): IReadLine {
  const form = emptyForm();
  const words = splitWords(line);
  if (words === null) {
    return { form: { ...form, more: line }, cluster: '' };
  }
  const more: string[] = [];
  const told = new Set<string>();
  let cluster = '';
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    const value = words[at + 1];
    if (word === undefined) {
      break;
    }
    const [flag, joined] = partedFlag(word.text);
    const field = FIELDS[flag];
    const given = joined ?? value?.text;
    const taken = joined === undefined ? 1 : 0;
    if (at === 0 && (flag === 'run' || flag === 'submit')) {
      form.verb = flag;
    } else if (given !== undefined && flag === '--on') {
      cluster = given;
      at += taken;
    } else if (given !== undefined && flag === '-l') {
      const left = readRequests(given, form.requests);
      more.push(...left.map(one => `-l ${one}`));
      at += taken;
    } else if (flag === '-pe' && form.parallel_environment === '' && value !== undefined && words[at + 2] !== undefined) {
      form.parallel_environment = value.text;
      form.slots = words[at + 2]?.text ?? '';
      at += 2;
    } else if (given !== undefined && flag === '--after') {
      form.after = form.after === '' ? given : `${form.after},${given}`;
      at += taken;
    } else if (given !== undefined && flag === '--over') {
      // A line for each axis.
      form.over = form.over === '' ? given : `${form.over}\n${given}`;
      at += taken;
    } else if (given !== undefined && field !== undefined && !told.has(flag)) {
      form[field] = given;
      told.add(flag);
      at += taken;
    } else {
      more.push(word.raw);
    }
  }
  form.more = more.join(' ');
  return { form, cluster };
}

/** `--flag=value` as argparse takes it apart; of other words only the word. */
function partedFlag(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word, undefined];
}

/** Put `name=value,…` in; returns those that are not of this shape. */
function readRequests(text: string, requests: Record<string, string>): string[] {
  const left: string[] = [];
  // A value may have commas, if it stands in quotes: arch="a,b".
  for (const part of text.match(/(?:[^,"']|"[^"]*"|'[^']*'|["'])+/g) ?? []) {
    const at = part.indexOf('=');
    if (at > 0) {
      requests[part.slice(0, at)] = part.slice(at + 1).replace(/^(["'])(.*)\1$/, '$2');
    } else if (part !== '') {
      left.push(part);
    }
  }
  return left;
}

/** The last values of a catalogue (`{"-l": "h_rt=1:00:00"}`) as a form. Only what a next job is likely to want again. */
export function formOfFlags(flags: Readonly<Record<string, string>>): IJobForm {
  const form = emptyForm();
  readRequests(flags['-l'] ?? '', form.requests);
  form.queue = flags['-q'] ?? '';
  form.project = flags['-P'] ?? '';
  const [name = '', slots = ''] = (flags['-pe'] ?? '').split(/\s+/);
  return { ...form, parallel_environment: slots === '' ? '' : name, slots };
}

/** What is kept of a form for the next job: not what belongs to this one alone. */
export function lasting(form: IJobForm): IJobForm {
  return { ...form, name: '', after: '', over: '', max_parallel: '' };
}

/** Requests by the name of the complex: a line may have its shortcut ("mem" for "memory"). */
export function byFullName(requests: Readonly<Record<string, string>>, complexes: readonly IComplex[]): Record<string, string> {
  const full = new Map(complexes.flatMap(one => [[one.shortcut, one.name], [one.name, one.name]] as const));
  return Object.fromEntries(Object.entries(requests).map(([name, value]) => [full.get(name) ?? name, value]));
}
