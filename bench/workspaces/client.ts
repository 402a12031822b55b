/** Who asks the view: as the front proxy would, over its Unix socket. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { asCaller, identity } from '@kcp-vw/shared/authn/identity.ts';
import { remoteHeaders } from '@kcp-vw/shared/authn/request-headers.ts';
import { Client } from 'undici';
import type { Person } from './world.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** `parent`: a path, or `*`. */
export const pathOf = (parent: string, query = ''): string =>
  `/services/workspaces/clusters/${parent}/apis/tenancy.kcp.io/v1alpha1/workspaces${query}`;

const headersOf = ({ groups, name }: Person, accept: string): string[] => [
  ...['host', 'localhost', 'accept', accept, 'user-agent', 'kcp-vw-bench'],
  ...remoteHeaders(asCaller(identity(name, groups), 'certificate')),
];

export interface Listed {
  readonly milliseconds: number;
  readonly bytes: number;
  readonly text: () => string;
}

/** Lists over one connection, one after the other. */
export class Lister {
  readonly #client: Client;

  constructor(socketPath: string) {
    this.#client = new Client('http://localhost', { socketPath });
  }

  /** Rejects when it is not answered with 200. */
  list(who: Person, path: string, { table = false } = {}): Promise<Listed> {
    const headers = headersOf(who, table ? TABLE : 'application/json');
    const began = performance.now();
    const chunks: Uint8Array[] = [];
    let status = 0;
    let bytes = 0;
    return new Promise((resolve, reject) => {
      const text = (): string => Buffer.concat(chunks).toString();
      this.#client.dispatch(
        { method: 'GET', path, headers },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_, code) => {
            status = code;
          },
          onResponseData: (_, chunk) => {
            bytes += chunk.length;
            chunks.push(chunk);
          },
          onResponseEnd: () => {
            if (status === 200) resolve({ milliseconds: performance.now() - began, bytes, text });
            else reject(new Error(`${path} answered ${status}: ${text()}`));
          },
          onResponseError: (_, error) => reject(error),
        },
      );
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

const NEWLINE = 0x0a;

/** Open watches, a connection each. */
export class Watches {
  readonly #socketPath: string;
  readonly #requests: ClientRequest[] = [];
  /** Of the clock that all processes of the machine share, nanoseconds: when each line of an event was here. */
  arrivals: bigint[] = [];
  bytes = 0;
  #wanted = 0;
  #reached = (): void => undefined;
  #failed: Error | undefined;
  #fail = (error: Error): void => {
    this.#failed ??= error;
  };
  #closing = false;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  get failed(): Error | undefined {
    return this.#failed;
  }

  /** From what is now on. Resolves when it is answered. */
  async open(who: Person, parent: string, resourceVersion: string): Promise<void> {
    const headers = headersOf(who, 'application/json');
    const path = pathOf(parent, `?watch=1&resourceVersion=${resourceVersion}`);
    const asked = request({ socketPath: this.#socketPath, path, headers, agent: false });
    this.#requests.push(asked);
    asked.on('error', error => {
      if (!this.#closing) this.#fail(error);
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`a watch was answered with ${response.statusCode}`);
    response.on('data', (chunk: Buffer) => this.#take(chunk));
    response.on('close', () => {
      if (!this.#closing) this.#fail(new Error('a watch was ended by the server'));
    });
  }

  /** Forgets what has come, and resolves when so many lines more are here. To be called before what they tell happens. */
  async next(lines: number): Promise<void> {
    this.arrivals = [];
    this.#wanted = lines;
    if (this.#failed) throw this.#failed;
    await new Promise<void>((resolve, reject) => {
      this.#reached = resolve;
      const limit = setTimeout(() => reject(new Error(`${this.arrivals.length} of ${lines} events have come`)), 60_000);
      this.#fail = error => {
        this.#failed ??= error;
        clearTimeout(limit);
        reject(error);
      };
      this.#reached = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }

  #take(chunk: Buffer): void {
    const now = process.hrtime.bigint();
    this.bytes += chunk.length;
    // An event is a line. What it says is not looked at: the parser would be measured with it.
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      this.arrivals.push(now);
      if (this.arrivals.length === this.#wanted) this.#reached();
    }
  }

  close(): void {
    this.#closing = true;
    for (const asked of this.#requests) asked.destroy();
  }
}
