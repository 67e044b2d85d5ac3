import { beforeEach, afterEach, expect, it, vi } from 'vitest';

import { completed, offersFor } from '../src/grid/completion';
import { FilterBox } from '../src/grid/filter_box';
import { press } from './grid_page';

const WORDS = [
  { word: 'owner', help: 'who submitted it', values: ['alice', 'bob', 'o'] },
  { word: 'state', help: 'what it does', values: ['running', 'pending'] },
  { word: 'slots', help: 'how many', values: [] }
];

function make() {
  const change = vi.fn();
  const box = new FilterBox({ label: 'filter of the jobs', words: WORDS, change });
  document.body.append(box.node);
  const input = box.node.querySelector('input');
  if (input === null) {
    throw new Error('there is no line');
  }
  const type = (text: string) => {
    input.value = text;
    input.setSelectionRange(text.length, text.length);
    input.dispatchEvent(new Event('input'));
  };
  const offers = () => [...box.node.querySelectorAll('.gcs-filter-word')].map(node => node.textContent);
  return { box, input, change, type, offers };
}

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

it.each([
  ['o', ['owner', 'slots']],
  ['-ow', ['owner']],
  ['(s', ['state', 'slots']],
  ['owner:', ['alice', 'bob', 'o']],
  ['owner:a', ['alice']],
  ['owner:alice,', ['bob', 'o']],
  ['state:r,p', ['pending']],
  ['slots>', []],
  ['nothing:', []],
  ['"a b', []],
  ['state:running "a', []]
])('%s is completed to %j', (text, labels) => {
  expect(offersFor(text, text.length, WORDS).map(({ label }) => label)).toEqual(labels);
});

it('a completion takes the place of what was typed, and only of it', () => {
  const text = 'slots>4 owner:al name~x';
  const [offer] = offersFor(text, 16, WORDS);
  expect(offer && completed(text, offer)).toEqual({ text: 'slots>4 owner:alice name~x', caret: 19 });
});

it('tells the text after a pause, and at once on Enter', () => {
  const { change, type, input } = make();
  type('owner:a');
  type('owner:ab');
  vi.advanceTimersByTime(100);
  expect(change).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  expect(change.mock.calls).toEqual([['owner:ab']]);
  type('owner:abc');
  press(input, 'Enter');
  expect(change).toHaveBeenLastCalledWith('owner:abc');
  vi.advanceTimersByTime(1000);
  expect(change).toHaveBeenCalledTimes(2);
});

it('completes with the arrows and Enter, as a combobox', () => {
  const { type, input, offers, change } = make();
  type('ow');
  expect(offers()).toEqual(['owner']);
  expect(input.getAttribute('aria-expanded')).toBe('true');
  press(input, 'ArrowDown');
  expect(document.getElementById(input.getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-selected')).toBe('true');
  press(input, 'Enter');
  expect(input.value).toBe('owner:');
  expect(offers()).toEqual(['alice', 'bob', 'o']);
  press(input, 'ArrowDown');
  press(input, 'Tab');
  expect(input.value).toBe('owner:alice ');
  expect(change).toHaveBeenLastCalledWith('owner:alice');
});

it('shows an error where it is, and forgets it when one types on', () => {
  const { box, input, type } = make();
  type('owner:a  slozs>4');
  vi.advanceTimersByTime(300);
  box.setError({ message: 'there is no slozs', start: 9, end: 14 });
  expect(box.node.querySelector('mark')?.textContent).toBe('slozs');
  expect(input.getAttribute('aria-invalid')).toBe('true');
  expect(document.getElementById(input.getAttribute('aria-describedby') ?? '')?.textContent).toBe('there is no slozs');
  type('owner:a  slots>4');
  expect(box.node.querySelector('mark')).toBeNull();
  box.setError({ message: 'there is no slozs', start: 9, end: 14 });
  expect(input.hasAttribute('aria-invalid')).toBe(false);
});

it('says nothing of a term that is not complete while somebody types it, but then', () => {
  const { box, input, type } = make();
  input.focus();
  type('slots>');
  vi.advanceTimersByTime(300);
  box.setError({ message: 'a number is missing', start: 6, end: 6, incomplete: true });
  expect(input.hasAttribute('aria-invalid')).toBe(false);
  input.blur();
  expect(input.getAttribute('aria-invalid')).toBe('true');
});

it('takes a text from elsewhere, but not from under somebody who types', () => {
  const { box, input, type, change } = make();
  box.set('owner:bob');
  expect(input.value).toBe('owner:bob');
  type('owner:bob ');
  box.set('owner:bob');
  expect(input.value).toBe('owner:bob ');
  vi.advanceTimersByTime(300);
  expect(change).not.toHaveBeenCalled();
});

it('is cleared by its button and by Escape', () => {
  const { box, input, change, type } = make();
  box.set('owner:bob');
  box.node.querySelector('button')?.click();
  expect([input.value, change.mock.lastCall]).toEqual(['', ['']]);
  type('slots>4');
  press(input, 'Escape');
  expect([input.value, change.mock.lastCall]).toEqual(['', ['']]);
});
