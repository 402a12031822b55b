import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from './kube.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

const open = new Set<Watch>();

/** Closes what a test has left open, so that a failing one does not keep the process alive. */
export function closeWatches(): void {
  for (const watch of open) watch.close();
}

/** An open watch that remembers every event it has seen. */
export class Watch {
  /** What has come so far, oldest first. */
  readonly events: WatchEvent[] = [];
  /** Whether the answer has ended, by whichever side. */
  ended = false;
  readonly #request: ClientRequest;
  readonly #label: string;
  #rest = '';

  constructor(label: string, request: ClientRequest, response: IncomingMessage) {
    this.#label = label;
    this.#request = request;
    open.add(this);
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#read(text));
    // A cut connection is an end like any other here; a test that cares asserts `ended`.
    response.on('error', () => this.#end());
    response.on('close', () => this.#end());
  }

  #end(): void {
    this.ended = true;
    open.delete(this);
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') this.events.push(JSON.parse(line) as WatchEvent);
    }
  }

  /** The first event, past or future, that `wanted` accepts. Throws, listing what came instead, after `timeout` ms. */
  async until(description: string, wanted: (event: WatchEvent) => boolean, timeout = 30_000): Promise<WatchEvent> {
    const deadline = Date.now() + timeout;
    for (let next = 0; ; ) {
      for (; next < this.events.length; next++) {
        const event = this.events[next];
        if (event !== undefined && wanted(event)) return event;
      }
      if (this.ended || Date.now() > deadline) {
        const why = this.ended ? 'the watch ended' : `${timeout} ms passed`;
        throw new Error(`${this.#label}: ${why} without ${description}; seen: ${this.#seen()}`);
      }
      await sleep(20);
    }
  }

  /** Resolves when the answer has ended. Throws after `timeout` ms. */
  async untilEnded(timeout: number): Promise<void> {
    const deadline = Date.now() + timeout;
    while (!this.ended) {
      if (Date.now() > deadline) throw new Error(`${this.#label} is still open after ${timeout} ms; seen: ${this.#seen()}`);
      await sleep(20);
    }
  }

  #seen(): string {
    if (this.events.length === 0) return 'nothing';
    return this.events
      .map(event => `${event.type} ${event.object.metadata?.annotations?.['kcp.io/cluster'] ?? ''}`.trim())
      .join(', ');
  }

  close(): void {
    this.#request.destroy();
  }
}
