// The program of all tabs, loaded with the first one: the line's banner, what could not be opened, and the view itself.
import { signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

import { mountCockpit } from '../../cockpit/cockpit';
import { mountExplorer } from '../../explorer/explorer';
import { bringChartLibrary } from '../../face/chart_library';
import type { IFace } from '../../face/face_widget';
import { SERVER } from '../../face/host_words';
import type { FaceName, IFaceStart } from '../../protocol/envelope';
import type { ExplorerClientMessage, ExplorerHostMessage } from '../../protocol/explorer_messages';
import type { IChannel } from '../../protocol/messages';
import type { IFaceChannel } from '../tokens';
import { JobPage } from './job_page';
import { LineBand, NoCluster, ProblemPage } from './problem_page';
import type { IViewArgs } from './view_args';
import type { IShownView, IViewContext } from './view_context';

bringChartLibrary(() => import('../../chart'));

export function mountView(node: HTMLElement, view: IViewContext): IShownView {
  render(<ViewPage view={view} />, node);
  return {
    dispose() { render(null, node); }
  };
}

function ViewPage({ view }: { view: IViewContext }) {
  const { manager } = view;
  const cluster = view.args.value.cluster;
  const current = manager.current.value;
  useEffect(() => {
    if (cluster === '' && current !== '') {
      // Asked for before anything was known.
      view.keep({ cluster: current });
    }
  }, [cluster, current]);
  if (cluster === '') {
    return <NoCluster view={view} />;
  }
  const key = `${cluster} ${view.asked.value}`;
  return (
    <div class="jp-gcs-lab-view-page">
      {/* A cockpit or explorer says by itself that its line is lost. */}
      {(view.kind === 'job' || manager.connection.value.status !== 'lost') && <LineBand view={view} />}
      {view.kind === 'job' ? <JobPage key={cluster} view={view} /> : <Face key={key} view={view} />}
    </div>
  );
}

/** A cockpit or explorer, and in its place the reason where its host could not be opened. */
function Face({ view }: { view: IViewContext }) {
  const place = useRef<HTMLDivElement>(null);
  const channel = useRef<IFaceChannel<unknown, unknown> | null>(null);
  const opened = useRef(signal(0));
  // Its end is not put off: the host goes with the tab.
  useLayoutEffect(() => {
    if (place.current === null) {
      return undefined;
    }
    const args = view.args.peek();
    const made = view.manager.open<unknown, unknown>(faceOf(view), { ...startOf(view, args), ...(view.wake === true ? { wake: true } : {}) });
    channel.current = made;
    opened.current.value += 1;
    const face = mountFace(place.current, made, view, args);
    return () => {
      face.dispose();
      made.dispose();
    };
  }, []);
  // Drawn anew when the channel is there, and whenever it cannot be used.
  const problem = opened.current.value > 0 ? channel.current?.problem.value ?? null : null;
  return (
    <>
      {problem !== null && (
        <ProblemPage
          view={view} problem={problem} what={view.args.value.cluster} onRetry={() => {
            if (problem.type === 'FilterError') {
              // It cannot be opened with this filter: begin without.
              view.use(view.args.peek().cluster);
            } else {
              channel.current?.retry();
            }
          }}
        />
      )}
      <div class="jp-gcs-lab-view-face" ref={place} hidden={problem !== null} />
    </>
  );
}

function faceOf({ kind }: IViewContext): FaceName {
  return kind === 'accounting' ? 'explorer' : 'cockpit';
}

function startOf({ kind }: IViewContext, { cluster, filter, mine }: IViewArgs): IFaceStart {
  return kind === 'accounting'
    ? { cluster }
    : { cluster, ...(mine === undefined ? {} : { mine }), ...(filter === undefined || filter === '' ? {} : { filter }) };
}

function mountFace(node: HTMLElement, channel: IChannel<unknown, unknown>, view: IViewContext, args: IViewArgs): IFace {
  if (view.kind === 'accounting') {
    return mountExplorer(node, channel as IChannel<ExplorerClientMessage, ExplorerHostMessage>, { fill: true, host: SERVER });
  }
  const hosts = view.kind === 'hosts';
  const tab = args.tab ?? (hosts ? 'hosts' : undefined);
  return mountCockpit(node, channel as IChannel, {
    fill: true,
    start: {
      host: SERVER,
      ...(hosts ? { place: 'hosts' } : {}),
      ...(tab === undefined ? {} : { tab }),
      ...(args.filter === undefined ? {} : { filter: args.filter }),
      ...(args.mine === undefined ? {} : { mine: args.mine })
    },
    changed: now => { view.keep(now); }
  });
}
