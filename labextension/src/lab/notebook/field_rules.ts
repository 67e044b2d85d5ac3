// What may be written into the fields: checked while it is typed. The server's word (`plan`) is the last one.
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IComplex, IJobForm } from '../../protocol/rest';

// sge_types(1) and queue_conf(5): 90, 1:30, 2:00:00, INFINITY; 4G, 512M, 1.5g; whole numbers; TRUE and FALSE.
const SHAPES: Partial<Record<string, RegExp>> = {
  TIME: /^(?:\d+|\d*:\d*(?::\d*)?|infinity)$/i,
  MEMORY: /^(?:\d+(?:\.\d*)?|\.\d+|0x[0-9a-f]+)[kmgt]?$|^infinity$/i,
  INT: /^[+-]?\d+$|^infinity$/i,
  DOUBLE: /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$|^infinity$/i,
  BOOL: /^(?:true|false|0|1)$/i
};
const SLOTS = /^[1-9]\d*(?:-(?:[1-9]\d*)?)?$|^-[1-9]\d*$/;
const PRIORITY_LOWEST = -1023;
const PRIORITY_HIGHEST = 1024;
/** Requests that most jobs have: they are shown before anybody adds them. */
const COMMON = ['h_rt', 'h_vmem'];

/** Why a value does not fit its complex; '' if it does or is empty. */
export function requestProblem(complex: IComplex | undefined, value: string, trans: TranslationBundle): string {
  const shape = SHAPES[complex?.type ?? ''];
  return value === '' || shape === undefined || shape.test(value) ? '' : typeHint(complex?.type ?? '', trans);
}

/** How values of a type are written. */
export function typeHint(type: string, trans: TranslationBundle): string {
  switch (type) {
    case 'TIME': return trans.__('A time: seconds (90), m:ss (1:30) or h:mm:ss (2:00:00).');
    case 'MEMORY': return trans.__('An amount of memory: 4G, 512M (powers of 1024) or 4g (of 1000).');
    case 'INT': return trans.__('A whole number.');
    case 'DOUBLE': return trans.__('A number.');
    case 'BOOL': return trans.__('TRUE or FALSE.');
    case 'HOST': return trans.__('Name of a host.');
    default: return trans.__('Text.');
  }
}

/** An example for an empty field. */
export function typeExample(type: string): string {
  return { TIME: '1:00:00', MEMORY: '4G', INT: '1', DOUBLE: '1.0', BOOL: 'TRUE' }[type] ?? '';
}

/** What is wrong by field; requests as "requests.h_rt". */
export function formProblems(form: IJobForm, complexes: readonly IComplex[], trans: TranslationBundle): Record<string, string> {
  const found: Record<string, string> = {};
  const byName = new Map(complexes.map(one => [one.name, one]));
  for (const [name, value] of Object.entries(form.requests)) {
    const problem = requestProblem(byName.get(name), value.trim(), trans);
    if (problem !== '') {
      found[`requests.${name}`] = problem;
    }
  }
  if (form.parallel_environment !== '' && !SLOTS.test(form.slots.trim())) {
    found.slots = trans.__('How many slots: a number (4) or a range (2-8).');
  }
  const priority = form.priority.trim();
  if (priority !== '' && !(/^[+-]?\d+$/.test(priority) && Number(priority) >= PRIORITY_LOWEST && Number(priority) <= PRIORITY_HIGHEST)) {
    found.priority = trans.__('A whole number from %1 to %2.', PRIORITY_LOWEST, PRIORITY_HIGHEST);
  }
  if (form.max_parallel.trim() !== '' && !/^[1-9]\d*$/.test(form.max_parallel.trim())) {
    found.max_parallel = trans.__('A whole number of tasks, 1 or more.');
  }
  if (form.max_parallel.trim() !== '' && form.over.trim() === '') {
    found.max_parallel = trans.__('This limits the tasks of a sweep: say above what to run over, or leave it empty.');
  }
  return found;
}

/** Names of requests in the order of the form: the common ones of this cluster first, then as they were added. */
export function requestRows(requests: Readonly<Record<string, string>>, complexes: readonly IComplex[]): string[] {
  const common = COMMON.filter(name => complexes.some(one => one.name === name && one.requestable));
  return [...common, ...Object.keys(requests).filter(name => !common.includes(name))];
}

/** Complexes that may still be added. */
export function addable(requests: Readonly<Record<string, string>>, complexes: readonly IComplex[]): IComplex[] {
  const shown = requestRows(requests, complexes);
  return complexes.filter(one => one.requestable && !shown.includes(one.name));
}
