import { setTimeout as sleep } from 'node:timers/promises';
import { sendJson, sendStatus } from '@kcp-vw/shared/answer/send.ts';
import { badRequest, methodNotAllowed, resourceNotServed, StatusError, tooManyRequests } from '@kcp-vw/shared/kube/errors.ts';
import type { Exchange } from '@kcp-vw/shared/listener/exchange.ts';

/** What is to go wrong from now on. Absent fields and zeros: nothing. */
export interface Faults {
  /** Milliseconds that every request waits. */
  readonly latency?: number;
  /** So many requests are cut instead of answered. */
  readonly resets?: number;
  /** So many requests are refused with 429. */
  readonly tooManyRequests?: number;
  /** Only requests whose target holds this text; absent: all. */
  readonly match?: string;
}

/** What can be done to a shard at once. */
export interface FaultActions {
  /** Forgets the history of changes: older resourceVersions are answered with 410. */
  compact(): void;
  /** Cuts every connection. */
  disconnect(): Promise<void>;
  /** Is away for a moment and comes back, with its state or without. */
  restart(keepState: boolean): Promise<void>;
}

export const FAULTS_PATH = '/faults';

/** Faults on demand, so that a test can see how others live with them. */
export class FaultInjector {
  #faults: Faults = {};

  get faults(): Faults {
    return this.#faults;
  }

  set(faults: Faults): void {
    this.#faults = faults;
  }

  /** True: the request has been dealt with. */
  async inject(exchange: Exchange): Promise<boolean> {
    const { latency = 0, match = '' } = this.#faults;
    if (!exchange.url.includes(match)) return false;
    if (latency > 0) await sleep(latency);
    if (this.#takeOne('resets')) {
      exchange.abort();
      return true;
    }
    if (this.#takeOne('tooManyRequests')) {
      sendStatus(exchange, tooManyRequests('too many requests, please try again later'));
      return true;
    }
    return exchange.closed;
  }

  #takeOne(kind: 'resets' | 'tooManyRequests'): boolean {
    const left = this.#faults[kind] ?? 0;
    if (left <= 0) return false;
    this.#faults = { ...this.#faults, [kind]: left - 1 };
    return true;
  }
}

/** The endpoint for whoever tests: `GET` and `PUT /faults`, `POST /faults/{compact,disconnect,restart,restart-empty}`. */
export async function handleFaultsRequest(exchange: Exchange, injector: FaultInjector, actions: FaultActions): Promise<void> {
  try {
    const action = exchange.url.slice(FAULTS_PATH.length + 1);
    if (action === '') {
      if (exchange.method === 'PUT') injector.set(parseFaults(await readBody(exchange)));
      else if (exchange.method !== 'GET') throw methodNotAllowed({ group: '', resource: 'faults' }, exchange.method);
      sendJson(exchange, 200, injector.faults);
      return;
    }
    if (exchange.method !== 'POST') throw methodNotAllowed({ group: '', resource: 'faults' }, exchange.method);
    const act = ACTIONS[action];
    if (act === undefined) throw resourceNotServed();
    // The answer first: most of these end the connection that it is to take.
    sendJson(exchange, 202, { action });
    await new Promise<void>(resolve => exchange.onClose(() => resolve()));
    await act(actions);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    sendStatus(exchange, error);
  }
}

const ACTIONS: Readonly<Record<string, (actions: FaultActions) => void | Promise<void>>> = {
  compact: actions => actions.compact(),
  disconnect: actions => actions.disconnect(),
  restart: actions => actions.restart(true),
  'restart-empty': actions => actions.restart(false),
};

function parseFaults(text: string): Faults {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badRequest(`the faults are no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const { latency = 0, resets = 0, tooManyRequests: refusals = 0, match = '' } = (value ?? {}) as Record<string, unknown>;
  const isCount = (count: unknown): count is number => typeof count === 'number' && count >= 0;
  if (!isCount(latency) || !isCount(resets) || !isCount(refusals) || typeof match !== 'string') {
    throw badRequest('faults are {latency, resets, tooManyRequests: numbers, match: text}');
  }
  return { latency, resets, tooManyRequests: refusals, match };
}

async function readBody({ body }: Exchange): Promise<string> {
  if (body === null) return '{}';
  let text = '';
  for await (const chunk of body.setEncoding('utf8')) text += chunk;
  return text;
}
