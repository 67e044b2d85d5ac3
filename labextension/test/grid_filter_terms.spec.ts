import { describe, expect, it } from 'vitest';

import { narrowed, termsOf, valuesOf, withoutTerm } from '../src/grid/filter_terms';

function texts(filter: string): string[] {
  return termsOf(filter).map(term => term.text);
}

describe('terms of a filter', () => {
  it('are told apart by white space, quotes and brackets hold together', () => {
    expect(texts('owner:alice  name~"a b" (state:r or slots>4) free')).toEqual(['owner:alice', 'name~"a b"', '(state:r or slots>4)', 'free']);
  });

  it('are one where alternatives stand beside each other', () => {
    expect(texts('owner:alice or owner:bob')).toEqual(['owner:alice or owner:bob']);
  });

  it('keep "not" with what it denies, and leave "and" out', () => {
    expect(texts('not owner:bob and -state:r')).toEqual(['not owner:bob', '-state:r']);
  });

  it('of an unfinished text are those that are there', () => {
    expect(texts('owner:alice name~"a b')).toEqual(['owner:alice', 'name~"a b']);
    expect(texts('   ')).toEqual([]);
  });

  it('can be taken away each', () => {
    const filter = 'owner:alice state:r slots>4';
    const left = termsOf(filter).map(term => withoutTerm(filter, term));
    expect(left).toEqual(['state:r slots>4', 'owner:alice slots>4', 'owner:alice state:r']);
  });
});

describe('narrowing', () => {
  it('adds a term, and takes it away again', () => {
    const once = narrowed('slots>4', 'owner', 'alice');
    expect(once).toBe('slots>4 owner:alice');
    expect(narrowed(once, 'owner', 'alice')).toBe('slots>4');
  });

  it('takes values of one column as alternatives', () => {
    const two = narrowed('owner:alice state:r', 'owner', 'bob');
    expect(two).toBe('owner:alice,bob state:r');
    expect(narrowed(two, 'owner', 'alice')).toBe('owner:bob state:r');
    expect(valuesOf(two, 'owner')).toEqual(['alice', 'bob']);
  });

  it('puts brackets around alternatives before it adds to them', () => {
    expect(narrowed('owner:alice or slots>4', 'queue', 'all.q')).toBe('(owner:alice or slots>4) queue:all.q');
  });

  it.each(['a b', 'x,y', 'q"uote', 'b(1)', '-minus', 'a*', 'back\\slash'])('quotes %s so that it is found again', value => {
    const filter = narrowed('state:r', 'name', value);
    expect(valuesOf(filter, 'name')).toEqual([value]);
    expect(narrowed(filter, 'name', value)).toBe('state:r');
  });
});
