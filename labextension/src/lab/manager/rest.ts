// Asks what the server answers once (protocol/rest.ts), and says in words what went wrong.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IProblem } from '../../protocol/envelope';
import { ClusterError } from '../tokens';

export interface IQuestion {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  signal?: AbortSignal;
}

export class RestClient {
  constructor(private readonly settings: ServerConnection.ISettings, private readonly trans: TranslationBundle) {}

  /**
   * @param path - after `gcs-lab/api/`; its parts are encoded already
   * @returns the answer's JSON; null if there is none, or what is asked for has not changed (304)
   * @throws ClusterError with status 0 if the server does not answer; what aborted it, if something did
   */
  async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, question: IQuestion = {}): Promise<T> {
    const query = Object.entries(question.query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
    const address = URLExt.join(this.settings.baseUrl, 'gcs-lab/api', path) + (query.length > 0 ? `?${new URLSearchParams(query).toString()}` : '');
    const init: RequestInit = { method };
    if (question.body !== undefined) {
      init.body = JSON.stringify(question.body);
    }
    if (question.signal !== undefined) {
      init.signal = question.signal;
    }
    let answer: Response;
    let text: string;
    try {
      answer = await ServerConnection.makeRequest(address, init, this.settings);
      text = await answer.text();
    } catch (why) {
      question.signal?.throwIfAborted();
      throw new ClusterError({ type: 'NetworkError', message: this.noAnswer(why) }, 0);
    }
    if (answer.status === 204 || answer.status === 304) {
      return null as T;
    }
    const said = parsed(text);
    if (!answer.ok) {
      throw new ClusterError(this.problem(answer, said, address), answer.status);
    }
    if (said === undefined) {
      // A login page, or a proxy's own words.
      throw new ClusterError({
        type: 'NotJson',
        message: this.trans.__('The Jupyter server did not answer with JSON (%1), but perhaps with a login page. Reload the page, and log in again.', address)
      }, answer.status);
    }
    return said as T;
  }

  private noAnswer(why: unknown): string {
    const words = why instanceof Error && why.message !== '' ? ` (${why.message})` : '';
    return this.trans.__('The Jupyter server does not answer%1. It may have been stopped, or the network is gone.', words);
  }

  private problem(answer: Response, said: unknown, address: string): IProblem {
    if (isProblem(said) && !BARE.has(said.type)) {
      return said;
    }
    const message = hasMessage(said) ? said.message : '';
    switch (answer.status) {
      case 401:
      case 403:
        return {
          type: 'NotAllowed',
          message: this.trans.__(
            'The Jupyter server refused it%1. Your login may have expired: reload the page, and log in again.', message === '' ? '' : ` (${message})`
          )
        };
      case 404:
        return {
          type: 'NotFound',
          message: this.trans.__('The Jupyter server has no %1: its part of gcs_lab is not enabled, or of another version.', address)
        };
      case 502:
      case 503:
      case 504:
        return {
          type: 'NetworkError',
          message: this.trans.__('The Jupyter server cannot be reached through its proxy (status %1). It may be starting again.', answer.status)
        };
      default:
        return {
          type: 'HTTP',
          message: message === '' ? this.trans.__('The Jupyter server answered with status %1 %2.', answer.status, answer.statusText) : message
        };
    }
  }
}

/** What the frame says of who asks, before any of our own words. */
const BARE = new Set(['Forbidden', 'Unauthorized']);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasMessage(said: unknown): said is { message: string } {
  return typeof said === 'object' && said !== null && 'message' in said && typeof said.message === 'string';
}

/** Jupyter's own refusals have a message, too, but no type. */
function isProblem(said: unknown): said is IProblem {
  return hasMessage(said) && 'type' in said && typeof said.type === 'string';
}
