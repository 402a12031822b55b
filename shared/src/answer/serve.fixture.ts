/** Test equipment: a client that asks a collection, in memory. */
import { createCollection, type MutableCollection } from '../informer/collection.ts';
import { ManualClock, settle } from '../informer/scripted.fixture.ts';
import type { KubeObject, WatchEvent } from '../kube/objects.ts';
import type { Exchange } from '../listener/exchange.ts';
import type { RawHeaders } from '../listener/headers.ts';
import { headerValue } from '../listener/headers.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { serveCollection } from './serve.ts';
import type { WatchSettings } from './serve-watch.ts';

export class FakeExchange implements Exchange {
  readonly httpVersion = '2.0';
  readonly method: string;
  readonly url: string;
  readonly headers: RawHeaders;
  readonly peer = { address: '192.0.2.1' };
  readonly body = null;
  readonly startedAt = 0;
  status = 0;
  sentHeaders: RawHeaders = [];
  readonly #pieces: Buffer[] = [];
  closed = false;
  complete: boolean | undefined;
  /** True: the client does not read. */
  blocked = false;
  #ended = false;
  #close: ((complete: boolean) => void)[] = [];
  #drain = (): void => {};

  constructor(method: string, url: string, headers: RawHeaders) {
    this.method = method;
    this.url = url;
    this.headers = headers;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.bytes.toString();
  }

  get bytesWritten(): number {
    return this.bytes.length;
  }

  onClose(listener: (complete: boolean) => void): void {
    if (this.closed) listener(this.complete === true);
    else this.#close.push(listener);
  }

  writeHead(status: number, headers: RawHeaders): void {
    if (this.status !== 0) throw new Error('the head was written twice');
    this.status = status;
    this.sentHeaders = headers;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.status === 0 || this.#ended) throw new Error('written before the head or after the end');
    this.#pieces.push(Buffer.from(chunk));
    return !this.blocked;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.write(chunk);
    this.#ended = true;
    if (!this.blocked) this.#settle(true);
  }

  abort(): void {
    this.#settle(false);
  }

  // --- the client's side

  /** Reads again what it did not. */
  unblock(): void {
    this.blocked = false;
    if (this.#ended) this.#settle(true);
    else this.#drain();
  }

  leave(): void {
    this.#settle(false);
  }

  header(name: string): string | undefined {
    return headerValue(this.sentHeaders, name);
  }

  json(): Record<string, unknown> & { items: KubeObject[]; metadata: Record<string, unknown> } {
    return JSON.parse(this.text);
  }

  events(): WatchEvent[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as WatchEvent);
  }

  /** `ADDED a@101`; what is no object by its type only. */
  summary(): string[] {
    return this.events().map(({ type, object: { metadata = {} } }) =>
      type === 'ERROR' ? type : `${type} ${metadata.name ?? ''}@${metadata.resourceVersion}`,
    );
  }

  #settle(complete: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.complete = complete;
    for (const listener of this.#close) listener(complete);
  }
}

export const BASE = '/apis/example.dev/v1/widgets';

const COLUMNS = [{ name: 'Color', type: 'string', description: '', priority: 0, jsonPath: '.spec.color' }] as const;

export interface Widget {
  readonly color?: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
}

export const widget = (name: string, { color = 'red', namespace, labels }: Widget = {}): KubeObject => ({
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) },
  spec: { color },
});

export const newCollection = (capacity = 1000): MutableCollection =>
  createCollection(
    { apiVersion: 'example.dev/v1', kind: 'Widget', group: 'example.dev', resource: 'widgets', columns: COLUMNS },
    { capacity, epoch: 100n },
  );

export interface Ask {
  readonly method?: string;
  readonly headers?: RawHeaders;
  readonly settings?: Partial<WatchSettings>;
  readonly blocked?: boolean;
  readonly clock?: ManualClock;
}

/** Sends one request and lets happen what happens at once. */
export async function ask(collection: MutableCollection, url: string, options: Ask = {}) {
  const { method = 'GET', headers = [], settings = {}, blocked = false, clock = new ManualClock() } = options;
  const exchange = new FakeExchange(method, url, headers);
  exchange.blocked = blocked;
  const target = parseTarget(url);
  const done = serveCollection(exchange, requestInfo(method, target), target.query, collection, { clock, ...settings });
  await settle();
  return Object.assign(exchange, { done, clock });
}

export const named = (objects: readonly KubeObject[]): (string | undefined)[] => objects.map(object => object.metadata?.name);
