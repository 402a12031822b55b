import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Credentials } from '../support/client.ts';
import { target } from '../support/identities.ts';
import type { KubeObject } from '../support/kube.ts';
import type { WatchEvent } from '../support/watch.ts';

/** Milliseconds until a refused watch is tried again. */
const RETRY_MS = 50;
/** Watches that share a connection, as those of a controller do. */
const PER_CONNECTION = 25;
const STOPPED = 'stopped';

export interface FollowerOptions {
  /** `https://127.0.0.1:1234`. */
  readonly origin: string;
  readonly credentials: Credentials;
  readonly path: string;
  /** Where the first watch begins. */
  readonly resourceVersion: string;
  readonly numberOf: (object: KubeObject) => number | undefined;
}

/** A connection that is made again when it has ended. */
class Connection {
  readonly #options: FollowerOptions;
  #session: ClientHttp2Session | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  request(path: string): ClientHttp2Stream {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      const { keyPair } = this.#options.credentials;
      this.#session = connect(this.#options.origin, {
        ca: target.servingAuthority,
        ...(keyPair && { cert: keyPair.certificate, key: keyPair.key }),
      });
      // Its streams end with it, and tell.
      this.#session.on('error', () => undefined);
    }
    return this.#session.request({ ':path': path, accept: 'application/json' });
  }

  close(): void {
    this.#session?.destroy();
  }
}

/** A watch that is opened again from where it was whenever it ends, as informers do. */
class Follower {
  /** From the end of a watch until the next one was open, milliseconds. */
  readonly gaps: number[] = [];
  /** What was no watch. */
  readonly refusals: string[] = [];
  /** The numbers that the beacon has shown, each as often as it came. */
  readonly seen: number[] = [];
  readonly #connection: Connection;
  readonly #options: FollowerOptions;
  #version: string;
  #stopped = false;

  constructor(connection: Connection, options: FollowerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#version = options.resourceVersion;
  }

  /** Resolves when the first watch is open. */
  async start(): Promise<void> {
    const first = await this.#open();
    if (first !== undefined) void this.#goOn(first);
  }

  async #goOn(first: ClientHttp2Stream): Promise<void> {
    for (let stream: ClientHttp2Stream | undefined = first; stream !== undefined; ) {
      await this.#read(stream);
      const ended = performance.now();
      stream = await this.#open();
      this.gaps.push(performance.now() - ended);
    }
  }

  /** Tries until a watch is open, or this is stopped. */
  async #open(): Promise<ClientHttp2Stream | undefined> {
    while (!this.#stopped) {
      const stream = this.#connection.request(
        `${this.#options.path}?watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`,
      );
      const answer = await answerOf(stream);
      if (answer === 200) return stream;
      this.refusals.push(String(answer));
      stream.destroy();
      await new Promise(resolve => setTimeout(resolve, RETRY_MS));
    }
    return undefined;
  }

  /** Resolves when the stream has ended, however. */
  #read(stream: ClientHttp2Stream): Promise<void> {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') this.#take(JSON.parse(line) as WatchEvent);
    });
    return new Promise(resolve => void stream.once('close', resolve));
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') this.refusals.push(JSON.stringify(object));
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    const number = type === 'BOOKMARK' || type === 'ERROR' ? undefined : this.#options.numberOf(object);
    if (number !== undefined) this.seen.push(number);
  }

  stop(): void {
    this.#stopped = true;
  }
}

/** The status, or what went wrong before there was one. */
function answerOf(stream: ClientHttp2Stream): Promise<number | string> {
  return new Promise(resolve => {
    stream.once('response', headers => resolve(headers[':status'] ?? 0));
    // Stays: what breaks later ends the stream, and that is looked at.
    stream.on('error', error => resolve(error.message));
    stream.once('close', () => resolve(STOPPED));
  });
}

/** Many watches of the same collection. */
export class Followers {
  readonly #connections: readonly Connection[];
  readonly #all: readonly Follower[];

  constructor(count: number, options: FollowerOptions) {
    const connections = Array.from({ length: Math.ceil(count / PER_CONNECTION) }, () => new Connection(options));
    this.#connections = connections;
    this.#all = connections.flatMap(connection =>
      Array.from({ length: PER_CONNECTION }, () => new Follower(connection, options)),
    );
  }

  get count(): number {
    return this.#all.length;
  }

  async open(): Promise<void> {
    await Promise.all(this.#all.map(follower => follower.start()));
  }

  /** All gaps since the last call, in order of length. */
  takeGaps(): number[] {
    return this.#all.flatMap(({ gaps }) => gaps.splice(0)).sort((a, b) => a - b);
  }

  takeRefusals(): string[] {
    return this.#all.flatMap(({ refusals }) => refusals.splice(0));
  }

  /** What each has seen of the beacon. */
  get seen(): readonly (readonly number[])[] {
    return this.#all.map(({ seen }) => seen);
  }

  stop(): void {
    for (const follower of this.#all) follower.stop();
    for (const connection of this.#connections) connection.close();
  }
}

/** On the dev shard, which every run of the tests has, fewer: the real one is where the figure is asked for. */
export const WATCHES = target.recordsFieldManagers === false ? 100 : 500;
