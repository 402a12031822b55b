/** Servers between a syncer and a kcp, so that a test can stop a request on its way. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { target } from './identities.ts';

/**
 * `asked`: the server does not hear of the request. `heard`: it is about to do what it is asked for. `answered`: it has done so, and nobody
 * hears of that.
 */
export type Moment = 'asked' | 'heard' | 'answered';

export interface Stop {
  readonly moment: Moment;
  readonly isWanted: (method: string, path: string) => boolean;
  readonly reached: () => void;
}

/** One server for each origin of a kcp. What answers say of those origins leads to these servers. */
export class FaultProxies {
  /** PEM that verifies them. */
  readonly authority: string;
  readonly #servers = new Map<string, Http2SecureServer>();
  readonly #origins = new Map<string, string>();
  readonly #agent = new Agent({ ca: target.servingAuthority, keepAlive: true });
  #stop: Stop | undefined;

  static async start(origins: readonly string[]): Promise<FaultProxies> {
    const authority = createAuthority({ commonName: 'fault proxies' });
    const proxies = new FaultProxies(authority.certPem);
    const { certPem: cert, keyPem: key } = authority.issue({ commonName: 'proxy', sans: ['IP:127.0.0.1'], usage: 'server' });
    for (const origin of origins) {
      const server = createSecureServer({ cert, key, allowHTTP1: true }, (incoming, outgoing) => {
        proxies.#pass(origin, incoming, outgoing);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      proxies.#servers.set(origin, server);
      proxies.#origins.set(origin, `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    return proxies;
  }

  private constructor(authority: string) {
    this.authority = authority;
  }

  originOf(origin: string): string {
    return this.#origins.get(origin) ?? origin;
  }

  /** The next request that is wanted goes no further than to that moment. Resolves when it is there. */
  stopAt(moment: Moment, isWanted: Stop['isWanted']): Promise<void> {
    return new Promise(reached => {
      this.#stop = { moment, isWanted, reached };
    });
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#agent.destroy();
  }

  #pass(origin: string, incoming: Http2ServerRequest, outgoing: Http2ServerResponse): void {
    const { method, url } = incoming;
    const stop = this.#stop?.isWanted(method, url) ? this.#stop : undefined;
    if (stop) this.#stop = undefined;
    if (stop?.moment === 'asked') {
      stop.reached();
      return;
    }
    const headers = Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':') && !DROPPED.has(name));
    const { hostname, port } = new URL(origin);
    const forwarded = request(
      { agent: this.#agent, hostname, port, method, path: url, headers: Object.fromEntries(headers) },
      answer => (stop ? this.#swallow(answer, stop) : this.#answer(answer, outgoing)),
    );
    forwarded.on('error', () => cut(outgoing));
    outgoing.on('close', () => forwarded.destroy());
    if (stop?.moment === 'heard') forwarded.on('finish', stop.reached);
    incoming.pipe(forwarded);
  }

  #swallow(answer: IncomingMessage, { reached }: Stop): void {
    answer.on('end', reached).resume();
  }

  /** By lines, which URLs and events of watches never exceed. */
  async #answer(answer: IncomingMessage, outgoing: Http2ServerResponse): Promise<void> {
    const headers = Object.entries(answer.headers).filter(([name]) => !DROPPED.has(name));
    outgoing.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    outgoing.on('close', () => answer.destroy());
    let rest = '';
    try {
      for await (const chunk of answer.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) outgoing.write(`${this.#rewritten(line)}\n`);
      }
      outgoing.end(this.#rewritten(rest));
    } catch {
      // A server that is cut off is seen as one.
      cut(outgoing);
    }
  }

  #rewritten(text: string): string {
    let result = text;
    for (const [origin, own] of this.#origins) result = result.replaceAll(origin, own);
    return result;
  }
}

/** One that is over already has neither. */
const cut = ({ stream, socket }: Partial<Http2ServerResponse>): void => void (stream ?? socket)?.destroy();

/** Of one connection, or not true any more of what is rewritten. */
const DROPPED = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'accept-encoding']);
