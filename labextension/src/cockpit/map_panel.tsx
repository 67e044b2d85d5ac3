// The hosts as tiles: which are full, which are idle, who is on them, which are closed.
import { useEffect, useMemo, useState } from 'preact/hooks';

import { formatCount } from '../card/figures';
import type { IMapHost } from '../protocol/messages';
import { CanvasCells, type ICellMarks } from './canvas_cells';
import { valuesOf } from '../grid/filter_terms';
import { GridView } from './grid_view';
import { sentence } from '../face/host_words';
import { ownerColour, ramp, ranked } from '../face/colours';
import { LOAD_END, type MapColour } from './map_colours';
import { ordered, ownersOf, wordsOfHost } from './map_hosts';
import { boxOf, layoutMap, moveOnMap, tileAt, type IMapLayout } from './map_layout';
import { paintMap, type IMapLook } from './map_paint';
import { Choice, Press } from '../face/parts';
import type { CockpitStore } from './store';

const COLOURS = [['use', 'Use'], ['load', 'Load'], ['owner', 'Owner']] as const;
const WAYS = [['map', 'Map'], ['table', 'Table']] as const;
/** Many hosts shrink into the height that there is, and at least into this one, before they are scrolled. */
const LEAST_HEIGHT = 160;

export function MapPanel({ store, shown, id }: { store: CockpitStore; shown: boolean; id: string }) {
  const [table, setTable] = useState(store.memory.get('table') ?? false);
  const [colour, setColour] = useState<MapColour>(store.memory.get('map') ?? 'use');
  const open = shown && !table;
  const live = store.live.value;
  useEffect(() => {
    if (!open || !live) {
      return undefined;
    }
    store.connection.send({ kind: 'map', open: true });
    return () => { store.connection.send({ kind: 'map', open: false }); };
  }, [open, live, store.greeted.value]);
  const hosts = useMemo(() => ordered(store.hosts.value), [store.hosts.value]);
  return (
    <div class="gcs-panel-column">
      <div class="gcs-toolbar" role="toolbar" aria-label="hosts">
        <Choice
          name={`${id}-way`} label="how hosts are shown" options={WAYS} value={table ? 'table' : 'map'}
          onChoose={way => { setTable(way === 'table'); store.memory.set({ table: way === 'table' }); }}
        />
        {!table && (
          <>
            <span class="gcs-dim">Colour</span>
            <Choice
              name={`${id}-colour`} label="what the colour shows" options={COLOURS} value={colour}
              onChoose={chosen => { setColour(chosen); store.memory.set({ map: chosen }); }}
            />
            <Legend store={store} hosts={hosts} colour={colour} />
          </>
        )}
      </div>
      {table
        ? <GridView store={store} view="hosts" label="hosts" shown={shown} />
        : hosts.length === 0
          ? <p class="gcs-empty gcs-dim">{live ? 'No host is known yet.' : `${sentence(store.host.gone)}: the map was not asked for before.`}</p>
          : <HostMap store={store} hosts={hosts} colour={colour} />}
    </div>
  );
}

function HostMap({ store, hosts, colour }: { store: CockpitStore; hosts: IMapHost[]; colour: MapColour }) {
  const names = store.mapOwners.value;
  const dark = store.dark.value;
  const ranks = useRanks(hosts, names, store);
  const owners = valuesOf(store.filter.value, 'owner');
  const narrowedTo = valuesOf(store.filter.value, 'host');
  const chosen = narrowedTo.length === 1 ? hosts.findIndex(host => host.host === narrowedTo[0]) : -1;

  const paint = (canvas: HTMLCanvasElement, layout: IMapLayout, style: CSSStyleDeclaration, marks: ICellMarks) => {
    const variable = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise;
    const look: IMapLook = {
      dark, colour, names, ranks, owners, text: style.color, empty: variable('--gcs-empty', dark ? '#333a44' : '#e6eaef'),
      ground: variable('--gcs-ground', '#fff'), accent: variable('--gcs-accent', '#1976d2'), font: style.fontFamily || 'sans-serif'
    };
    paintMap(canvas, layout, devicePixelRatio, hosts, look, { ...marks, chosen });
  };
  return (
    <CanvasCells
      class="gcs-map"
      label="map of the hosts"
      help="arrow keys move, Enter narrows everything to the host"
      count={hosts.length}
      layout={(width, height) => layoutMap(hosts.length, width > 0 ? width : 800, Math.max(LEAST_HEIGHT, height))}
      at={tileAt}
      move={moveOnMap}
      paint={paint}
      words={tile => (hosts[tile] === undefined ? '' : wordsOfHost(hosts[tile], names))}
      open={tile => {
        const host = hosts[tile];
        if (host !== undefined) {
          store.narrow('host', host.host);
        }
      }}
      reveal={showTile}
      below={tile => <HostLine store={store} host={hosts[tile >= 0 ? tile : chosen]} names={names} chosen={hosts[chosen]} />}
    />
  );
}

/** What the pointed host is; and, once everything is narrowed to one, the way to its jobs. */
function HostLine({ store, host, names, chosen }: {
  store: CockpitStore; host: IMapHost | undefined; names: string[]; chosen: IMapHost | undefined;
}) {
  return (
    <div class="gcs-host-line">
      {host === undefined
        ? <span class="gcs-dim">Point at a host, or go there by the arrow keys; a click or Enter narrows everything to it.</span>
        : (
          <>
            <b>{host.host}</b>
            <span>{formatCount(host.used)} of {formatCount(host.total)} slots</span>
            <span>{host.load === null ? 'load not known' : `load ${host.load.toFixed(2)}`}{host.cores !== null && ` on ${host.cores} cores`}</span>
            {host.state !== '' && <span class="gcs-old">closed (<code>{host.state}</code>)</span>}
            <span class="gcs-dim">
              {ownersOf(host, names).slice(0, 4).map(([owner, slots]) => `${owner} ${slots}`).join(' · ') || 'no job'}
            </span>
          </>
        )}
      <span class="gcs-space" />
      {chosen !== undefined && <Press label={`Jobs on ${chosen.host.split('.')[0] ?? ''}`} onPress={() => { store.setTab('jobs'); }} />}
      {chosen !== undefined && <Press label="All hosts" onPress={() => { store.narrow('host', chosen.host); }} />}
    </div>
  );
}

function Legend({ store, hosts, colour }: { store: CockpitStore; hosts: IMapHost[]; colour: MapColour }) {
  const dark = store.dark.value;
  const closed = hosts.filter(host => host.state !== '').length;
  const ranks = useRanks(hosts, store.mapOwners.value, store);
  const shut = closed > 0 && <li><i class="gcs-part-hatched" />{formatCount(closed)} closed</li>;
  if (colour === 'owner') {
    return (
      <ul class="gcs-key">
        {ranks.map((owner, place) => <li key={owner}><i style={{ background: ownerColour(place, dark) }} />{owner}</li>)}
        <li><i style={{ background: ownerColour(Infinity, dark) }} />others</li>
        {shut}
      </ul>
    );
  }
  const stops = [0, 0.25, 0.5, 0.75, 1].map(share => ramp(colour, share, dark)).join(', ');
  const [least, most] = colour === 'use' ? ['0%', '100% of the slots'] : ['0', `${LOAD_END} and more load a core`];
  return (
    <ul class="gcs-key">
      <li>{least}<i class="gcs-scale" style={{ background: `linear-gradient(to right, ${stops})` }} />{most}</li>
      {shut}
    </ul>
  );
}

/** The owners who have a colour on the map: those of the overview, whose colours are the same. */
function useRanks(hosts: IMapHost[], names: string[], store: CockpitStore): readonly string[] {
  const known = store.ranks.value;
  return useMemo(() => {
    if (known.length > 0) {
      return known;
    }
    const slots = new Map<string, number>();
    hosts.forEach(host => {
      ownersOf(host, names).forEach(([owner, used]) => slots.set(owner, (slots.get(owner) ?? 0) + used));
    });
    return ranked(slots, []);
  }, [known, hosts, names]);
}

function showTile(map: HTMLElement, layout: IMapLayout, tile: number): void {
  const [, top, , height] = boxOf(layout, tile);
  map.scrollTop = Math.max(Math.min(map.scrollTop, top - 8), top + height + 8 - map.clientHeight);
}
