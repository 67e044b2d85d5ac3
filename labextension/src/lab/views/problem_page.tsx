// What stands in a tab instead of its view, or above it, where the server or the cluster does not do what it should.
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'preact/hooks';

import { wordsOf } from '../../face/connection';
import type { IProblem } from '../../protocol/envelope';
import type { IClusterInfo } from '../../protocol/rest';
import type { IViewContext } from './view_context';

/** The line to the server: above what is shown, as long as it is broken. It goes by itself. */
export function LineBand({ view }: { view: IViewContext }) {
  const { status, text } = view.manager.connection.value;
  if (status === 'connected' || status === 'connecting') {
    return null;
  }
  const words: Record<typeof status, string> = {
    lost: view.trans.__('The line to the Jupyter server is lost: what is shown is old. It is tried again by itself.'),
    missing: view.trans.__('The server extension of gcs_lab does not answer.'),
    old: view.trans.__('Page and server are of different versions of gcs_lab.')
  };
  return <div class="jp-gcs-lab-view-band" role="status" data-status={status}>{text === '' ? words[status] : text}</div>;
}

interface IProblemPage {
  view: IViewContext;
  problem: IProblem;
  /** What cannot be shown. */
  what: string;
  onRetry: () => void;
}

/** A host could not be opened. */
export function ProblemPage({ view, problem, what, onRetry }: IProblemPage) {
  const { trans } = view;
  return (
    <div class="jp-gcs-lab-view-note" role="alert">
      <h2>{trans.__('%1 cannot be shown', what)}</h2>
      <p>{problem.message}</p>
      <div class="jp-gcs-lab-view-buttons">
        <button type="button" class="jp-mod-styled jp-mod-accept" onClick={onRetry}>
          {problem.type === 'FilterError' ? trans.__('Show it without the filter') : trans.__('Retry')}
        </button>
        <Others view={view} />
      </div>
    </div>
  );
}

/** No cluster is known, or not yet. */
export function NoCluster({ view }: { view: IViewContext }) {
  const { trans, manager } = view;
  const [trouble, setTrouble] = useState('');
  const [asked, setAsked] = useState(manager.clusters.value.length > 0);
  const ask = () => {
    setTrouble('');
    manager.refreshClusters().then(() => { setAsked(true); }, (why: unknown) => { setTrouble(wordsOf(why)); });
  };
  useEffect(ask, []);
  if (trouble === '' && !asked) {
    return <div class="jp-gcs-lab-view-note" role="status"><p>{trans.__('Looking for clusters…')}</p></div>;
  }
  return (
    <div class="jp-gcs-lab-view-note" role={trouble === '' ? 'status' : 'alert'}>
      <h2>{trans.__('No cluster is chosen')}</h2>
      <p>{trouble === '' ? trans.__('Choose one, or start one from the launcher.') : trouble}</p>
      <div class="jp-gcs-lab-view-buttons">
        <button type="button" class="jp-mod-styled jp-mod-accept" onClick={ask}>{trans.__('Look again')}</button>
        <Others view={view} />
      </div>
    </div>
  );
}

/** Other clusters that can be used from here, to show in this tab. */
function Others({ view }: { view: IViewContext }) {
  const { trans, manager } = view;
  const clusters = manager.clusters.value.filter(one => one.name !== view.args.value.cluster);
  if (clusters.length === 0) {
    return null;
  }
  return (
    <label class="jp-gcs-lab-view-others">
      {trans.__('Another cluster')}{' '}
      <select value="" onChange={event => { view.use(event.currentTarget.value); }}>
        <option value="" disabled selected>{trans.__('choose…')}</option>
        {clusters.map(one => <option key={one.name} value={one.name} disabled={one.state !== 'running'}>{wordsFor(one, trans)}</option>)}
      </select>
    </label>
  );
}

function wordsFor({ name, state }: IClusterInfo, trans: TranslationBundle): string {
  const words = { running: '', stopped: trans.__('stopped'), unreachable: trans.__('does not answer') };
  return state === 'running' ? name : `${name} (${words[state]})`;
}
