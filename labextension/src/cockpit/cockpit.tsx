// The cockpit: what a cluster does now, in one page. It needs a node to stand in and a channel to its host: a widget's
// comm, or a WebSocket to the Jupyter server.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { keepKey } from '../card/dom';
import type { IChannel } from '../protocol/messages';
import { ActionDialog } from './action_dialog';
import { Announcer } from '../face/announcer';
import type { IFace, IFaceOptions } from '../face/face_widget';
import { Notes } from '../face/notes';
import { Bands } from './bands';
import { ChartsPanel } from './charts_panel';
import { Drawer } from './drawer';
import { EmptyCluster } from './empty_cluster';
import { Head } from './head';
import { JobsPanel } from './jobs_panel';
import { MapPanel } from './map_panel';
import { OverviewStrip } from './overview_strip';
import { QueuesPanel } from './queues_panel';
import { ReplayBar } from './replay_bar';
import { wordsNow } from './spoken';
import type { TabName } from './remembered';
import { CockpitStore, type ICockpitStart } from './store';
import { watchDark, watchSeen } from '../face/surroundings';
import { TABS, Tabs } from './tabs';

/** Where the head takes more lines, the tables keep at least 300 pixels of the height. */
export interface ICockpitOptions extends IFaceOptions {
  start?: ICockpitStart;
  /** Told what a person chose, at once and whenever it differs: to begin with it the next time. */
  changed?: (now: { tab: TabName; filter: string; mine: boolean }) => void;
}
export type ICockpit = IFace;

let mounted = 0;

export function mountCockpit(node: HTMLElement, channel: IChannel, options: ICockpitOptions = {}): ICockpit {
  mounted += 1;
  const id = `gcs-cockpit-${mounted}`;
  const store = new CockpitStore(channel, options.start);
  const endings = [
    effect(() => { options.changed?.({ tab: store.tab.value, filter: store.filter.value, mine: store.mine.value }); }),
    watchDark(node, dark => { store.dark.value = dark; }),
    watchSeen(node, seen => { store.setVisible(seen); })
  ];
  render(<Cockpit store={store} id={id} options={options} />, node);
  return {
    dispose() {
      endings.forEach(end => { end(); });
      render(null, node);
      store.dispose();
    }
  };
}

function Cockpit({ store, id, options }: { store: CockpitStore; id: string; options: ICockpitOptions }) {
  const root = useRef<HTMLElement>(null);
  const [replayShown, setReplayShown] = useState(false);
  const tab = store.tab.value;
  const opened = store.opened.value;
  const asking = store.asking.value;
  const past = store.replaying.value !== null;
  const empty = store.overview.value?.jobs === 0 && store.filter.value === '' && !past;
  useEffect(() => { setReplayShown(shown => shown || past); }, [past]);
  const kind = [
    'gcs-face gcs-cockpit', options.fill === true ? 'gcs-fills' : '', past ? 'gcs-past' : '', store.live.value ? '' : 'gcs-gone'
  ].filter(one => one !== '').join(' ');
  return (
    <section
      ref={root}
      class={kind}
      aria-label={`cluster ${store.welcome.value?.cluster ?? ''}`}
      data-ground={store.dark.value ? 'dark' : 'light'}
      style={options.height === undefined ? {} : { '--gcs-height': `${options.height}px` }}
      onKeyDown={event => {
        const { target } = event;
        const writes = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
        if (event.key === '/' && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
          event.preventDefault();
          store.focusFilter();
        }
        keepKey(event);
      }}
    >
      <div class="gcs-face-inner">
        <Bands store={store} />
        <Head store={store} id={id} replayShown={replayShown} onReplay={() => { setReplayShown(!replayShown); }} />
        {replayShown && <ReplayBar store={store} />}
        <OverviewStrip store={store} />
        <Tabs store={store} id={id} />
        <div class="gcs-body-row">
          <div class="gcs-panels">
            {TABS.map(([name]) => (
              <div
                key={name} id={`${id}-panel-${name}`} class="gcs-panel" role="tabpanel" aria-labelledby={`${id}-tab-${name}`} hidden={name !== tab}
              >
                {name === 'jobs' && (empty ? <EmptyCluster store={store} /> : <JobsPanel store={store} shown={tab === 'jobs'} />)}
                {name === 'queues' && <QueuesPanel store={store} shown={tab === 'queues'} />}
                {name === 'hosts' && <MapPanel store={store} shown={tab === 'hosts'} id={id} />}
                {name === 'charts' && <ChartsPanel store={store} shown={tab === 'charts'} />}
              </div>
            ))}
          </div>
          {opened !== null && <Drawer store={store} opened={opened} id={id} />}
        </div>
        <Notes book={store.book} />
      </div>
      {asking !== null && <ActionDialog key={asking.action.name} store={store} asking={asking} id={id} />}
      <Announcer words={wordsNow(store)} />
    </section>
  );
}
