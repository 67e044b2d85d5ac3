// What the status bar says of the cluster and of my jobs.
import type { TranslationBundle } from '@jupyterlab/translation';

import { timeOfDay } from '../../face/clock';
import { lookOf } from '../../card/state_look';
import type { IProblem } from '../../protocol/envelope';
import type { IPanel } from '../../protocol/panel_messages';
import type { IClusterInfo } from '../../protocol/rest';
import type { IConnectionState } from '../tokens';

export interface IStatusText {
  /** good, busy, warn, bad: as the cluster's health; off: there is none. */
  level: 'good' | 'busy' | 'warn' | 'bad' | 'off';
  /** Glyph and words, ready to show: ["▶ 3", "◷ 5"]. */
  parts: string[];
  /** The same in words, with the cluster's health. */
  title: string;
}

/** What is known of cluster, line and jobs. */
export interface IKnown {
  panel: IPanel | null;
  /** Why the panel has nothing; null: it has, or will. */
  problem: IProblem | null;
  connection: IConnectionState;
  /** Name of the cluster that is shown; '' while none is known. */
  current: string;
  clusters: readonly IClusterInfo[];
}

export function statusText({ panel, problem, connection, current, clusters }: IKnown, trans: TranslationBundle): IStatusText {
  if (connection.status === 'missing') {
    return { level: 'bad', parts: [trans.__('cluster: not enabled')], title: connection.text };
  }
  if (connection.status === 'lost') {
    return { level: 'bad', parts: [trans.__('no connection'), ...counts(panel)], title: connection.text };
  }
  if (current === '') {
    return { level: 'off', parts: [trans.__('no cluster')], title: trans.__('No cluster is known. Click to start or choose one.') };
  }
  if (clusters.some(cluster => cluster.name === current && cluster.state === 'stopped')) {
    const title = trans.__('%1 is stopped. Click to start it, or to choose another cluster.', current);
    return { level: 'off', parts: [trans.__('%1 stopped', current), ...counts(panel)], title };
  }
  if (problem !== null) {
    return { level: 'bad', parts: [current, ...counts(panel)], title: `${current}: ${problem.message}` };
  }
  if (panel === null) {
    return { level: 'off', parts: [current], title: trans.__('%1: nothing is known yet', current) };
  }
  const shown = counts(panel);
  return {
    level: panel.health.level,
    parts: shown.length > 0 ? shown : [trans.__('no jobs')],
    title: [`${panel.cluster}: ${panel.health.text}`, ...since(panel, trans), inWords(panel, trans), trans.__('Click to show the panel.')].join('\n')
  };
}

function counts(panel: IPanel | null): string[] {
  if (panel === null) {
    return [];
  }
  const { running, suspended, pending, held, error } = panel.mine;
  const told: [string, number][] = [['RUNNING', running], ['SUSPENDED', suspended], ['QUEUED', pending], ['QUEUED_HELD', held], ['FAILED', error]];
  return told.filter(([, count]) => count > 0).map(([state, count]) => `${lookOf(state).glyph} ${count.toLocaleString('en-US')}`);
}

function since({ stale_since, now }: IPanel, trans: TranslationBundle): string[] {
  return stale_since > 0 ? [trans.__('It has not answered since %1', timeOfDay(stale_since, now))] : [];
}

function inWords(panel: IPanel, trans: TranslationBundle): string {
  const { running, suspended, pending, held, error } = panel.mine;
  const words = [
    trans.__('%1 running', running),
    ...(suspended > 0 ? [trans.__('%1 suspended', suspended)] : []),
    trans.__('%1 waiting', pending),
    ...(held > 0 ? [trans.__('%1 held', held)] : []),
    ...(error > 0 ? [trans.__('%1 in error', error)] : [])
  ];
  return trans.__('My jobs: %1', words.join(', '));
}
