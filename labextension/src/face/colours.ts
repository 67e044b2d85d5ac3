// Colours of figures. Every scale grows in darkness alone (on a dark page: in brightness), so that it is read without
// seeing hues; owners' colours are those that Paul Tol chose to be told apart by all ("bright", with grey for the rest).
export type Scale = 'use' | 'load';

type Rgb = readonly [number, number, number];

const RAMPS: Record<Scale, Record<'light' | 'dark', readonly Rgb[]>> = {
  use: {
    light: [[190, 214, 240], [107, 164, 219], [42, 111, 187], [10, 62, 130]],
    dark: [[34, 62, 96], [40, 98, 160], [74, 144, 226], [160, 205, 255]]
  },
  load: {
    light: [[252, 224, 170], [243, 165, 70], [204, 96, 20], [125, 44, 4]],
    dark: [[84, 54, 22], [150, 88, 24], [226, 140, 44], [255, 214, 150]]
  }
};

const OWNERS = {
  light: ['#4477aa', '#ee6677', '#228833', '#b89a18', '#3aa0c0', '#aa3377', '#0e7c6b'],
  dark: ['#6fa3d8', '#ff8b99', '#5dbb6b', '#e0c644', '#74cfee', '#d673ad', '#4fc3ae']
} as const;
/** Where more than owners on a map are told apart: what follows the owners' colours. */
const MORE = {
  light: ['#8a5a2b', '#6a51a3', '#c2571a'],
  dark: ['#c99a6b', '#b3a0ea', '#f08c4e']
} as const;
const OTHERS = { light: '#9a9a9a', dark: '#8c8c8c' } as const;

/** How many owners have a colour of their own; and values in a figure. */
export const OWNED_COLOURS = OWNERS.light.length;
export const FIGURE_COLOURS = OWNED_COLOURS + MORE.light.length;

export function ground(dark: boolean): 'light' | 'dark' {
  return dark ? 'dark' : 'light';
}

/** @param share - 0 to 1; what is beyond is its end */
export function ramp(scale: Scale, share: number, dark: boolean): string {
  const stops = RAMPS[scale][ground(dark)];
  const place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const from = stops[Math.floor(place)] ?? [0, 0, 0];
  const to = stops[Math.ceil(place)] ?? from;
  const part = place - Math.floor(place);
  const mixed = from.map((channel, at) => Math.round(channel + ((to[at] ?? channel) - channel) * part));
  return `rgb(${mixed.join(' ')})`;
}

export function ownerColour(place: number, dark: boolean): string {
  return OWNERS[ground(dark)][place] ?? OTHERS[ground(dark)];
}

/** The colour of a value in a figure: of the first as those of owners on the map; grey where it has none. */
export function figureColour(place: number, dark: boolean): string {
  return MORE[ground(dark)][place - OWNED_COLOURS] ?? ownerColour(place, dark);
}

/**
 * Which owners have a colour: those with the most slots. An owner keeps the colour that he had, as long as he is one of
 * them.
 */
export function ranked(slots: ReadonlyMap<string, number>, before: readonly string[], most: number = OWNED_COLOURS): string[] {
  const largest = [...slots].sort((one, other) => other[1] - one[1]).slice(0, most).map(([owner]) => owner);
  const kept = before.map(owner => (largest.includes(owner) ? owner : ''));
  const fresh = largest.filter(owner => !kept.includes(owner));
  const filled = kept.map(owner => (owner === '' ? fresh.shift() ?? '' : owner));
  return [...filled, ...fresh].slice(0, most);
}
