// What the map's colours say.
import type { IMapHost } from '../protocol/messages';

export type MapColour = 'use' | 'load' | 'owner';

/** A load of this much a core is the end of the scale. */
export const LOAD_END = 1.5;

/** The share of a scale that a host stands at; undefined: not known. */
export function shareOf(host: IMapHost, colour: 'use' | 'load'): number | undefined {
  if (colour === 'use') {
    return host.total > 0 ? host.used / host.total : undefined;
  }
  const cores = host.cores ?? host.total;
  return host.load === null || cores <= 0 ? undefined : host.load / cores / LOAD_END;
}
