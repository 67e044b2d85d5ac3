// Notes below a page: what was done, what went wrong.
import type { Signal } from '@preact/signals';
import { signal } from '@preact/signals';

import { CROSS, IconButton } from './parts';

/** How long a note of what went well stands. */
const NOTE_MILLISECONDS = 10_000;
const MOST_NOTES = 5;

export interface INote {
  id: number;
  text: string;
  alarm: boolean;
}

export class NoteBook {
  readonly notes: Signal<INote[]> = signal([]);
  private readonly fading = new Set<ReturnType<typeof setTimeout>>();
  private noted = 0;

  note(text: string, alarm = false): void {
    this.noted += 1;
    const others = this.notes.value.filter(note => note.text !== text).slice(1 - MOST_NOTES);
    const id = this.noted;
    this.notes.value = [...others, { id, text, alarm }];
    if (!alarm) {
      // What went well need not be taken away by hand.
      this.fading.add(setTimeout(() => { this.dismiss(id); }, NOTE_MILLISECONDS));
    }
  }

  dismiss(id: number): void {
    this.notes.value = this.notes.value.filter(note => note.id !== id);
  }

  dispose(): void {
    this.fading.forEach(timer => { clearTimeout(timer); });
  }
}

/** @param words - in another language, where the page has one */
export function Notes({ book, words = { notes: 'notes', dismiss: 'Dismiss' } }: { book: NoteBook; words?: { notes: string; dismiss: string } }) {
  return (
    <div class="gcs-notes" role="log" aria-label={words.notes} aria-live="polite">
      {book.notes.value.map(note => (
        <div key={note.id} class={`gcs-note-line${note.alarm ? ' gcs-alarm' : ''}`}>
          <span>{note.text}</span>
          <IconButton label={words.dismiss} path={CROSS} onPress={() => { book.dismiss(note.id); }} />
        </div>
      ))}
    </div>
  );
}
