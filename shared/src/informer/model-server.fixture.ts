/** Test equipment: an API server in memory, with one collection, that misbehaves on demand. */
import { INITIAL_EVENTS_END, type KubeObject } from '../kube/objects.ts';
import type { RawHeaders } from '../listener/headers.ts';
import type { Upstream, UpstreamCall, UpstreamHandler, UpstreamRequest } from '../upstream/upstream.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import { thing } from './scripted.fixture.ts';

interface Stream {
  readonly write: (text: string) => void;
  readonly end: () => void;
  readonly reset: () => void;
}

interface LogEntry {
  readonly version: number;
  readonly line: string;
}

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const status = (code: number, message: string) => ({ kind: 'Status', code, message });

export class ModelServer implements Upstream {
  readonly name = 'model';
  readonly objects = new Map<string, KubeObject>();
  version: number;
  reachable = true;
  streamsLists: boolean;
  #log: LogEntry[] = [];
  #compacted: number;
  #streams = new Set<Stream>();
  #uid = 0;

  constructor(streamsLists: boolean, version = 100) {
    this.streamsLists = streamsLists;
    this.version = version;
    this.#compacted = version;
  }

  // --- what a test does to it

  put(name: string): void {
    const before = this.objects.get(name);
    this.version += 1;
    const uid = before?.metadata?.uid ?? `uid-${this.#uid++}`;
    const object = thing(name, String(this.version), { uid, color: 'ř' });
    this.objects.set(name, object);
    this.#publish(line(before ? 'MODIFIED' : 'ADDED', object));
  }

  remove(name: string): void {
    const before = this.objects.get(name);
    if (!before) return;
    this.version += 1;
    this.objects.delete(name);
    const metadata = { ...before.metadata, resourceVersion: String(this.version) };
    this.#publish(line('DELETED', { ...before, metadata }));
  }

  bookmark(): void {
    for (const stream of this.#streams) stream.write(line('BOOKMARK', { metadata: { resourceVersion: String(this.version) } }));
  }

  /** Forgets all history: older versions and continue tokens get 410. */
  compact(): void {
    this.#log = [];
    this.#compacted = this.version;
  }

  endStreams(): void {
    for (const stream of this.#streams) stream.end();
  }

  /** Cuts every stream in the middle of a line. */
  resetStreams(): void {
    for (const stream of this.#streams) stream.reset();
  }

  expireStreams(): void {
    for (const stream of this.#streams) {
      stream.write(line('ERROR', status(410, 'too old resource version')));
      stream.end();
    }
  }

  garbleStreams(): void {
    for (const stream of this.#streams) stream.write('{"type":"ADDED"\n');
  }

  stop(): void {
    this.reachable = false;
    this.resetStreams();
  }

  /** `back`: versions that are lost, as after a restore from a backup; the objects are what they are. */
  restart(back: number): void {
    this.version = Math.max(1, this.version - back);
    for (const [name, object] of this.objects) {
      if (Number(object.metadata?.resourceVersion) > this.version) this.objects.delete(name);
    }
    this.compact();
    this.reachable = true;
  }

  #publish(text: string): void {
    this.#log.push({ version: this.version, line: text });
    for (const stream of this.#streams) stream.write(text);
  }

  // --- what a client sees

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    let aborted = false;
    let stream: Stream | undefined;
    const later = (action: () => void): void => {
      setImmediate(() => {
        if (!aborted) action();
      });
    };
    const over = (action: () => void): void => {
      if (stream) this.#streams.delete(stream);
      later(() => {
        aborted = true;
        action();
      });
    };
    const answer = (code: number, body: unknown, headers: RawHeaders = []): void => {
      handler.onHead(code, headers);
      handler.onData(Buffer.from(JSON.stringify(body)));
      aborted = true;
      handler.onEnd();
    };
    const open = (): Stream => {
      handler.onHead(200, []);
      const opened: Stream = {
        write: text => {
          // Two pieces, cut where a character of two bytes may be, and the second one later.
          const bytes = Buffer.from(text);
          const cut = Math.floor(bytes.length * 0.9);
          later(() => handler.onData(bytes.subarray(0, cut)));
          later(() => handler.onData(bytes.subarray(cut)));
        },
        end: () => over(() => handler.onEnd()),
        reset: () => {
          later(() => handler.onData(Buffer.from('{"type":"DELETED","object":{"metadata":{"name":"a"')));
          over(() => handler.onError(new UpstreamError('reset', 'cut')));
        },
      };
      this.#streams.add(opened);
      return opened;
    };

    later(() => {
      if (!this.reachable) {
        aborted = true;
        handler.onError(new UpstreamError('unreachable', 'refused'));
        return;
      }
      const query = new URL(request.path, 'http://model').searchParams;
      if (query.get('watch') !== 'true') return this.#list(query, answer);
      if (query.get('sendInitialEvents') === 'true') {
        if (!this.streamsLists) return answer(422, status(422, 'sendInitialEvents is forbidden'));
        stream = open();
        for (const object of this.objects.values()) stream.write(line('ADDED', object));
        const metadata = { resourceVersion: String(this.version), annotations: { [INITIAL_EVENTS_END]: 'true' } };
        return stream.write(line('BOOKMARK', { metadata }));
      }
      const since = Number(query.get('resourceVersion'));
      if (since > this.version) return answer(504, status(504, `Too large resource version: ${since}, current: ${this.version}`));
      stream = open();
      if (since < this.#compacted) {
        stream.write(line('ERROR', status(410, 'too old resource version')));
        return stream.end();
      }
      for (const entry of this.#log) if (entry.version > since) stream.write(entry.line);
    });

    return {
      resume: () => {},
      abort: () => {
        aborted = true;
        if (stream) this.#streams.delete(stream);
      },
    };
  }

  /** Pages of one state: a token holds its version, and is good as long as that is the newest. */
  #list(query: URLSearchParams, answer: (code: number, body: unknown) => void): void {
    const limit = Number(query.get('limit') ?? 0) || Number.POSITIVE_INFINITY;
    const [version, start = '0'] = (query.get('continue') ?? '').split(':');
    if (version && Number(version) !== this.version) {
      answer(410, status(410, 'the continue token is too old'));
      return;
    }
    const all = [...this.objects.values()];
    const end = Number(start) + limit;
    const metadata = {
      resourceVersion: String(this.version),
      ...(end < all.length && { continue: `${this.version}:${end}` }),
    };
    answer(200, { kind: 'ThingList', apiVersion: 'v1', metadata, items: all.slice(Number(start), end) });
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  stats(): { unaryConnections: number; unaryInFlight: number; watchSessions: number; watchStreams: number } {
    return { unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: this.#streams.size };
  }

  async close(): Promise<void> {}
}
