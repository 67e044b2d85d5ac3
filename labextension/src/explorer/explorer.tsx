// The explorer: what the jobs of a cluster have used, in one page. It needs a node to stand in and a channel to its
// host: a widget's comm, or a WebSocket to the Jupyter server.
import { render } from 'preact';

import { keepKey } from '../card/dom';
import { formatCount } from '../card/figures';
import { Announcer } from '../face/announcer';
import type { IFace, IFaceOptions } from '../face/face_widget';
import { type IHostWords, sentence } from '../face/host_words';
import { Notes } from '../face/notes';
import { watchDark, watchSeen } from '../face/surroundings';
import { TabList } from '../face/tab_list';
import { Findings } from './findings';
import { Head } from './head';
import { IngestBar } from './ingest_bar';
import { JobsTable } from './jobs_table';
import { ExplorerStore, type ExplorerChannel } from './store';
import { TabPanel } from './tab_panel';
import { Splitting } from './splitting';

let mounted = 0;

export interface IExplorerOptions extends IFaceOptions {
  /** How the host is called; as the kernel, if left out. */
  host?: IHostWords;
}

export function mountExplorer(node: HTMLElement, channel: ExplorerChannel, options: IExplorerOptions = {}): IFace {
  mounted += 1;
  const id = `gcs-explorer-${mounted}`;
  const store = new ExplorerStore(channel, options.host);
  const endings = [
    watchDark(node, dark => { store.dark.value = dark; }),
    watchSeen(node, seen => { store.setVisible(seen); })
  ];
  render(<Explorer store={store} id={id} options={options} />, node);
  return {
    dispose() {
      endings.forEach(end => { end(); });
      render(null, node);
      store.dispose();
    }
  };
}

function Explorer({ store, id, options }: { store: ExplorerStore; id: string; options: IFaceOptions }) {
  const { tab } = store.state.value;
  const welcome = store.welcome.value;
  const kind = [
    'gcs-face gcs-explorer', options.fill === true ? 'gcs-fills' : '', options.height === undefined ? '' : 'gcs-bounded', store.live.value ? '' : 'gcs-gone'
  ].filter(one => one !== '').join(' ');
  return (
    <section
      class={kind}
      aria-label={`accounting of the cluster ${welcome?.cluster ?? ''}`}
      data-ground={store.dark.value ? 'dark' : 'light'}
      style={options.height === undefined ? {} : { '--gcs-height': `${options.height}px` }}
      onKeyDown={event => {
        const { target } = event;
        const writes = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
        if (event.key === '/' && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
          event.preventDefault();
          store.focusFilter();
        }
        keepKey(event);
      }}
    >
      <div class="gcs-face-inner">
        {!store.live.value && (
          <div class="gcs-band gcs-band-gone">
            <span><b>{sentence(store.host.gone)}: this is what it last said.</b> {store.host.again('to go on')}</span>
          </div>
        )}
        <IngestBar store={store} />
        <Head store={store} id={id} />
        <Findings store={store} id={id} />
        <div class="gcs-tab-line">
          <TabList
            id={id} label="views of the accounting" onePanel chosen={tab} tabs={welcome?.tabs ?? []}
            onChoose={name => { store.setTab(name); }}
          />
          <Splitting store={store} id={id} />
        </div>
        <TabPanel store={store} id={id} />
        <JobsTable store={store} id={id} />
        <Notes book={store.book} />
      </div>
      <Announcer words={spoken(store)} />
    </section>
  );
}

/** What a screen reader is told when the figures have come. */
function spoken(store: ExplorerStore): string {
  const shown = store.shown.value;
  const findings = store.findings.value ?? [];
  if (!store.live.value) {
    return `${sentence(store.host.gone)}.`;
  }
  if (shown === undefined || store.waiting.value) {
    return '';
  }
  const found = findings.length === 0 ? '' : ` ${formatCount(findings.length)} ${findings.length === 1 ? 'thing stands' : 'things stand'} out.`;
  return `${formatCount(shown.matching)} of ${formatCount(shown.period)} records of the period are shown.${found}`;
}
