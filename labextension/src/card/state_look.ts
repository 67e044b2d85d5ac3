// How a state is drawn: never by colour alone.
import looks from '../../../gcs_lab/widgets/job_states.json';

/** `on_light`, `on_dark` and `level` are for small marks: see StateLook in gcs_lab/widgets/card_line.py. */
export interface ILook {
  word: string;
  glyph: string;
  colour: string;
  icon: string;
  on_light: string;
  on_dark: string;
  level: number;
}

const LOOKS: Record<string, ILook> = looks;

export function lookOf(state: string): ILook {
  return LOOKS[state] ?? looks.UNDETERMINED;
}
