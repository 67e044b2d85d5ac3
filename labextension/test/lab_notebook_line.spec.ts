// @vitest-environment node
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { headOf, usesMagic, withLine } from '../src/lab/notebook/cell_line';
import { judge, type ICellFacts } from '../src/lab/notebook/cell_target';
import { addable, formProblems, requestRows } from '../src/lab/notebook/field_rules';
import { byFullName, emptyForm, formOfFlags, lasting, readLine } from '../src/lab/notebook/job_form';
import { quoteWord, splitWords } from '../src/lab/notebook/line_words';
import { parametersOf, readParameters } from '../src/lab/notebook/parameters';
import { CATALOGUE } from './lab_notebook_fakes';

const trans = nullTranslator.load('gcs_lab');

describe('words of a line', () => {
  it.each([
    ['submit -N fit', ['submit', '-N', 'fit']],
    [`--over "x=[1, 2]" 'a b'c`, ['--over', 'x=[1, 2]', 'a bc']],
    [String.raw`a\ b "say \"hi\" \n"`, ['a b', String.raw`say "hi" \n`]],
    ['  ', []],
    [`''`, ['']]
  ])('splits %s as shlex does', (line, words) => {
    expect(splitWords(line)?.map(word => word.text)).toEqual(words);
  });

  it.each(['"open', "'", 'end\\'])('says that %s has no end', line => { expect(splitWords(line)).toBeNull(); });

  it.each(['plain', 'a b', "it's", '"', '', '$x'])('quotes %j so that it is found again', text => {
    expect(splitWords(quoteWord(text))?.map(word => word.text)).toEqual([text]);
  });
});

describe('head of a cell', () => {
  it('tells what stands on the first line', () => {
    expect(headOf('x = 1')).toEqual({ kind: 'plain' });
    expect(headOf(' \n\n')).toEqual({ kind: 'empty' });
    expect(headOf('%%bash -x\nls')).toEqual({ kind: 'other', name: '%%bash' });
    expect(headOf('\n%%gcs submit -N a \\\n   -l h_rt=60\nx = 1')).toEqual({ kind: 'gcs', line: 'submit -N a -l h_rt=60' });
    expect(headOf('%%gcsx run\nx')).toEqual({ kind: 'other', name: '%%gcsx' });
  });

  it('puts a line in, or replaces the one that is there with all its lines', () => {
    expect(withLine('x = 1\ny', '%%gcs run')).toBe('%%gcs run\nx = 1\ny');
    expect(withLine('\n%%gcs submit -N a \\\n   -l h_rt=60\nx = 1', '%%gcs run')).toBe('\n%%gcs run\nx = 1');
    expect(withLine('%%gcs submit', '%%gcs run')).toBe('%%gcs run\n');
  });

  it('knows which cells need the magic', () => {
    expect(['%%gcs run\nx', 'a\n%gcs jobs', '  %gcs jobs'].map(usesMagic)).toEqual([true, true, true]);
    expect(['gcs = 1', '# 5 %gcs', '%gcsx'].map(usesMagic)).toEqual([false, false, false]);
  });
});

describe('form of a line', () => {
  it('takes the flags that have a field, and keeps the others as they were written', () => {
    const line = `submit -N fit -q all.q -l h_rt=1:00:00,h_vmem=4G -l gpu=1 -pe smp 2-8 -P physics -p -5 -tc 3 --over "lr=[0.1, 0.3]" ` +
      `--after 7 --after=prep,8 --env "A=b c" --cache --on demo`;
    const { form, cluster } = readLine(line);
    expect(cluster).toBe('demo');
    expect(form).toEqual({
      verb: 'submit', name: 'fit', queue: 'all.q', requests: { h_rt: '1:00:00', h_vmem: '4G', gpu: '1' }, parallel_environment: 'smp',
      slots: '2-8', project: 'physics', priority: '-5', max_parallel: '3', over: 'lr=[0.1, 0.3]', after: '7,prep,8', more: '--env "A=b c" --cache'
    });
  });

  it('keeps what it does not understand', () => {
    expect(readLine('run --over "a=1" --over b=2').form).toMatchObject({ verb: 'run', over: 'a=1\nb=2', more: '' });
    expect(readLine('submit -l exclusive,h_rt=60').form).toMatchObject({ requests: { h_rt: '60' }, more: '-l exclusive' });
    expect(readLine(`submit -l 'arch="a,b",h_rt=60'`).form.requests).toEqual({ arch: 'a,b', h_rt: '60' });
    expect(readLine('submit -N "open').form.more).toBe('submit -N "open');
    expect(readLine('submit -pe smp').form).toMatchObject({ parallel_environment: '', more: '-pe smp' });
  });

  it('begins with what was used last, without what belongs to one job', () => {
    expect(formOfFlags(CATALOGUE.last)).toMatchObject({ queue: 'all.q', parallel_environment: 'smp', slots: '4', requests: { h_rt: '0:10:00', h_vmem: '2G' } });
    expect(lasting({ ...emptyForm(), name: 'a', over: 'x=1', queue: 'q' })).toMatchObject({ name: '', over: '', queue: 'q' });
    expect(byFullName({ g: '1', other: '2' }, CATALOGUE.complexes)).toEqual({ gpu: '1', other: '2' });
  });
});

describe('rules of fields', () => {
  const wrong = (requests: Record<string, string>, more = {}) => Object.keys(formProblems({ ...emptyForm(), requests, ...more }, CATALOGUE.complexes, trans));

  it.each([
    ['h_rt', ['90', '1:30', '2:00:00', ':30', 'INFINITY'], ['1h', '2 h', 'x']],
    ['h_vmem', ['4G', '512M', '1.5g', '100'], ['4GB', 'G', '-1']],
    ['gpu', ['1', '0'], ['1.5', 'one']],
    ['exclusive', ['TRUE', 'false', '1'], ['yes']],
    ['arch', ['lx-*'], []],
    ['unknown', ['anything'], []]
  ])('checks %s by its type', (name, good, bad) => {
    expect(good.flatMap(value => wrong({ [name]: value }))).toEqual([]);
    expect(bad.flatMap(value => wrong({ [name]: value }))).toEqual(bad.map(() => `requests.${name}`));
  });

  it('checks slots, priority and the limit of a sweep', () => {
    expect(wrong({}, { parallel_environment: 'smp', slots: '' })).toEqual(['slots']);
    expect(wrong({}, { parallel_environment: 'smp', slots: '2-8', priority: '1024', max_parallel: '2', over: 'x=[1]' })).toEqual([]);
    expect(wrong({}, { priority: '1025', max_parallel: '2' })).toEqual(['priority', 'max_parallel']);
  });

  it('shows the common requests first and offers the rest', () => {
    expect(requestRows({ gpu: '1' }, CATALOGUE.complexes)).toEqual(['h_rt', 'h_vmem', 'gpu']);
    expect(addable({ gpu: '1' }, CATALOGUE.complexes).map(one => one.name)).toEqual(['exclusive', 'arch']);
  });
});

describe('cells that can be jobs', () => {
  const facts: ICellFacts = { type: 'code', source: 'x = 1', readOnly: false, language: 'python', kernel: 'idle' };

  it('takes code, and says what it waits for', () => {
    expect(judge(facts, trans)).toMatchObject({ never: '', notNow: '', notes: [] });
    expect(judge({ ...facts, kernel: 'busy' }, trans).notes[0]).toContain('busy');
    expect(judge({ ...facts, kernel: 'none' }, trans).notNow).toContain('no kernel');
  });

  it.each<[Partial<ICellFacts>, string]>([
    [{ type: 'markdown' }, 'markdown'], [{ source: ' ' }, 'empty'], [{ readOnly: true }, 'read-only'],
    [{ source: '%%bash\nls' }, '--lang bash'], [{ source: '%%time\nx' }, '%%time'], [{ language: 'R' }, 'speaks R']
  ])('refuses %j in words', (different, word) => {
    expect(judge({ ...facts, ...different }, trans).never).toContain(word);
  });
});

describe('parameters of a notebook', () => {
  it('finds them in the tagged cell', () => {
    const cells = [
      { cell_type: 'code', source: 'other = 1', metadata: {} },
      { cell_type: 'code', source: ['alpha = 0.1  # rate\n', 'name: str = "a # b"\n', 'if alpha == 1: pass\n'], metadata: { tags: ['parameters'] } }
    ];
    expect(parametersOf({ cells }).map(row => [row.name, row.given])).toEqual([['alpha', '0.1'], ['name', '"a # b"']]);
    expect(parametersOf(null)).toEqual([]);
  });

  it('reads values as papermill does', () => {
    const rows = [['a', '1'], ['b', 'True'], ['c', 'None'], ['d', '[1, 2]'], ['e', 'plain text'], ['f', "'7'"], ['g', ''], ['', '3']];
    expect(readParameters(rows.map(([name = '', value = '']) => ({ name, value, given: '' })))).toEqual({ a: 1, b: true, c: null, d: [1, 2], e: 'plain text', f: '7' });
  });
});
