// The hosts of the map as they are told: first all, then those that changed.
import type { IMap, IMapHost } from '../protocol/messages';

export function merged(before: ReadonlyMap<string, IMapHost>, told: IMap): ReadonlyMap<string, IMapHost> {
  const after = new Map(told.all ? [] : before);
  told.hosts.forEach(host => after.set(host.host, host));
  return after;
}

/** In the order of people: node2 before node10. */
export function ordered(hosts: ReadonlyMap<string, IMapHost>): IMapHost[] {
  return [...hosts.values()].sort((one, other) => NATURAL.compare(one.host, other.host));
}

const NATURAL = new Intl.Collator('en', { numeric: true });

/** Pairs of owner and slots, the most first. */
export function ownersOf(host: IMapHost, names: string[]): [string, number][] {
  const pairs: [string, number][] = [];
  for (let at = 0; at + 1 < host.owners.length; at += 2) {
    pairs.push([names[host.owners[at] ?? -1] ?? '?', host.owners[at + 1] ?? 0]);
  }
  return pairs.sort((one, other) => other[1] - one[1]);
}

/** What a tile is, in words. */
export function wordsOfHost(host: IMapHost, names: string[]): string {
  const owners = ownersOf(host, names).slice(0, 3).map(([owner, slots]) => `${owner} ${slots}`);
  return [
    host.host,
    host.total === 0 ? 'no slots' : `${host.used} of ${host.total} slots used`,
    host.load === null ? 'load not known' : `load ${host.load.toFixed(2)}${host.cores === null ? '' : ` on ${host.cores} cores`}`,
    host.state === '' ? '' : `closed (${host.state})`,
    owners.join(', '),
    host.matches ? '' : 'outside the filter'
  ].filter(part => part !== '').join(', ');
}
