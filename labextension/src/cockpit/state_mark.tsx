// A state of a job, drawn.
import type { ComponentChildren } from 'preact';

import { Icon } from '../face/parts';
import { stateLook } from './state_word';

/** A state as drawing, word and colour. */
export function StateMark({ state, children }: { state: string; children?: ComponentChildren }) {
  const look = stateLook(state);
  return (
    <span class="gcs-mark" data-state={state} style={{ '--gcs-on-light': look.on_light, '--gcs-on-dark': look.on_dark }}>
      <span class="gcs-dot"><Icon path={look.icon} /></span>
      {children ?? look.word}
    </span>
  );
}

export function StatePill({ state }: { state: string }) {
  const look = stateLook(state);
  return <span class="gcs-pill" data-state={state} style={{ '--gcs-state': look.colour }}><Icon path={look.icon} />{look.word}</span>;
}
