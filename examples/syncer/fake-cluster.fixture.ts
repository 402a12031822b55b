/** Test equipment: an API server in memory, with logical clusters, watches, finalizers, and the two virtual workspaces of a syncer. */
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { INITIAL_EVENTS_END, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { matchesLabels, parseLabelSelector } from '@kcp-vw/shared/kube/selectors.ts';
import type { ManagedUpstream } from '@kcp-vw/shared/upstream/pool.ts';
import { UpstreamError, type UpstreamHandler, type UpstreamRequest } from '@kcp-vw/shared/upstream/upstream.ts';
import { asSeen } from '@kcp-vw/syncer-vw/transform/as-seen.ts';
import { isUpsynced, upsyncCreate, upsyncUpdate } from '@kcp-vw/syncer-vw/transform/upsync-write.ts';
import { writePlan } from '@kcp-vw/syncer-vw/transform/write-plan.ts';
import { contentType, keyOf, patched, refusal, type Target, targetOf, type View } from './fake-request.fixture.ts';

interface Stream {
  readonly target: Target;
  readonly selects: (object: KubeObject) => boolean;
  readonly shown: Set<string>;
  readonly write: (type: string, object: KubeObject) => void;
}

export interface FakeClusterOptions {
  /** Of the SyncTarget whose virtual workspaces are served. */
  readonly key?: string;
  /** By `/api/v1`, `/apis/apps/v1`: what discovery shows. */
  readonly serves?: Readonly<Record<string, readonly { readonly name: string; readonly namespaced: boolean }[]>>;
  /** What may be done with resources of these names; default: everything. */
  readonly refuses?: readonly string[];
  readonly applies?: boolean;
}

/** Resources whose status is written by itself. */
const WITH_STATUS = new Set(['pods', 'deployments', 'persistentvolumes', 'synctargets']);

export class FakeCluster {
  readonly #options: FakeClusterOptions;
  readonly #objects = new Map<string, KubeObject>();
  readonly #streams = new Set<Stream>();
  #version = 100;
  /** `PUT /api/v1/…`, all but reads. */
  readonly writes: string[] = [];
  /** What goes wrong with a request: it is refused with this code, does not get there, or is executed and its answer gets lost. */
  fault: (method: string, path: string) => number | 'unreachable' | 'lost' | undefined = () => undefined;

  constructor(options: FakeClusterOptions = {}) {
    this.#options = options;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** A connection to it. */
  connect(): ManagedUpstream {
    const own = new Set<Stream>();
    return {
      name: 'https://fake.test',
      basePath: '',
      setCredentials: () => undefined,
      dispatch: (request, handler) => this.#dispatch(request, handler, own),
      stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: own.size }),
      close: async () => {
        for (const stream of own) this.#streams.delete(stream);
      },
    };
  }

  /** What is stored; `path` is as in a request, without a view. */
  get(path: string): KubeObject | undefined {
    return this.#objects.get(keyOf(targetOf(path)));
  }

  list(resource: string): KubeObject[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${resource}|`)).map(([, object]) => object);
  }

  /** Stores what somebody else has written; undefined: it is deleted, finalizers or not. */
  put(path: string, object: KubeObject | undefined): void {
    const target = targetOf(path);
    const annotations = { ...object?.metadata?.annotations, ...(target.cluster && { 'kcp.io/cluster': target.cluster }) };
    const named = { name: target.name, ...(target.namespace && { namespace: target.namespace }) };
    this.#commit(target, object && { ...object, metadata: { ...object.metadata, ...named, annotations } });
  }

  change(path: string, edit: (object: KubeObject) => KubeObject): void {
    const target = targetOf(path);
    const stored = this.#objects.get(keyOf(target));
    if (stored === undefined) throw new Error(`there is no ${path}`);
    this.#commit(target, edit(stored));
  }

  #commit(target: Target, object: KubeObject | undefined): KubeObject {
    const key = keyOf(target);
    const before = this.#objects.get(key);
    this.#version += 1;
    const resourceVersion = String(this.#version);
    const isOver = object === undefined || (object.metadata?.deletionTimestamp && !object.metadata.finalizers?.length);
    const uid = before?.metadata?.uid ?? object?.metadata?.uid ?? `uid-${this.#version}`;
    const after = { ...(object ?? before), metadata: { ...(object ?? before)?.metadata, uid, resourceVersion } };
    if (isOver) this.#objects.delete(key);
    else this.#objects.set(key, after);
    for (const stream of [...this.#streams]) this.#tell(stream, target, key, after, Boolean(isOver));
    return after;
  }

  #tell(stream: Stream, target: Target, key: string, object: KubeObject, isOver: boolean): void {
    if (stream.target.resource !== target.resource || stream.target.group !== target.group) return;
    if (stream.target.cluster !== '*' && stream.target.cluster !== target.cluster) return;
    const seen = isOver ? undefined : this.#seen(stream.target.view, object);
    const isShown = seen !== undefined && stream.selects(seen);
    if (isShown) stream.write(stream.shown.has(key) ? 'MODIFIED' : 'ADDED', seen);
    else if (stream.shown.has(key)) stream.write('DELETED', object);
    if (isShown) stream.shown.add(key);
    else stream.shown.delete(key);
  }

  #seen(view: View, object: KubeObject): KubeObject | undefined {
    const { key = '' } = this.#options;
    if (view === 'upsyncer') return isUpsynced(object, key) ? object : undefined;
    if (view === undefined) return object;
    const seen = asSeen(object, key);
    return 'seen' in seen ? seen.seen : undefined;
  }

  #dispatch(request: UpstreamRequest, handler: UpstreamHandler, own: Set<Stream>) {
    let aborted = false;
    let stream: Stream | undefined;
    const later = (then: () => void): void => void setImmediate(() => (aborted ? undefined : then()));
    const [path = '', query = ''] = request.path.split('?');
    later(() => {
      const fault = this.fault(request.method, path);
      if (fault === 'unreachable') return handler.onError(new UpstreamError('unreachable', 'the fake is unreachable'));
      try {
        if (typeof fault === 'number') throw refusal(fault, 'a fault');
        const parameters = new URLSearchParams(query);
        if (parameters.get('watch') === 'true') {
          handler.onHead(200, []);
          stream = this.#watch(path, parameters, (type, object) =>
            later(() => handler.onData(Buffer.from(`${JSON.stringify({ type, object })}\n`))),
          );
          own.add(stream);
          return;
        }
        const body = this.#answer(request.method, path, String(request.body ?? ''), contentType(request));
        if (fault === 'lost') return handler.onError(new UpstreamError('reset', 'the answer is lost'));
        handler.onHead(200, []);
        handler.onData(Buffer.from(JSON.stringify(body)));
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        handler.onHead(error.code, []);
        handler.onData(Buffer.from(JSON.stringify(error.status)));
      }
      handler.onEnd();
    });
    return {
      resume: () => undefined,
      abort: () => {
        aborted = true;
        if (stream) this.#streams.delete(stream);
      },
    };
  }

  #watch(path: string, query: URLSearchParams, write: Stream['write']): Stream {
    const labels = parseLabelSelector(query.get('labelSelector') ?? '');
    const name = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    const selects = ({ metadata }: KubeObject): boolean =>
      matchesLabels(labels, metadata?.labels) && (name === undefined || metadata?.name === name);
    const stream: Stream = { target: targetOf(path), selects, shown: new Set(), write };
    const { group, resource } = stream.target;
    for (const [key, object] of this.#objects) {
      if (!key.startsWith(`${resource}|${group}|`)) continue;
      this.#tell(stream, { ...stream.target, cluster: key.split('|')[2] ?? '' }, key, object, false);
    }
    const metadata = { resourceVersion: String(this.#version), annotations: { [INITIAL_EVENTS_END]: 'true' } };
    write('BOOKMARK', { metadata });
    this.#streams.add(stream);
    return stream;
  }

  #answer(method: string, path: string, body: string, type: string): object {
    const target = targetOf(path);
    if (method !== 'GET') this.writes.push(`${method} ${path}`);
    if (target.resource === 'selfsubjectaccessreviews') return { status: { allowed: !this.#isRefused(body) } };
    if (target.resource === '') {
      const resources = this.#options.serves?.[path];
      if (resources === undefined) throw refusal(404, 'not served');
      return { resources };
    }
    if (method === 'GET' && target.name === '') return { metadata: {}, items: [] };
    const sent = body === '' ? {} : (JSON.parse(body) as KubeObject);
    if (method === 'POST') return this.#create({ ...target, name: sent.metadata?.name ?? '' }, sent);
    const stored = this.#objects.get(keyOf(target));
    const seen = stored && this.#seen(target.view, stored);
    if (method === 'PATCH' && type.includes('apply')) return this.#apply(target, sent);
    if (!stored || !seen) throw refusal(404, `${path} not found`);
    if (method === 'GET') return seen;
    if (method === 'DELETE') return this.#delete(target, stored, sent);
    if (method === 'PATCH') return this.#update(target, stored, patched(seen, sent, type));
    return this.#update(target, stored, sent);
  }

  #isRefused(body: string): boolean {
    const { resource } = JSON.parse(body).spec.resourceAttributes;
    return this.#options.refuses?.includes(resource) ?? false;
  }

  #create(target: Target, sent: KubeObject): KubeObject {
    if (this.#objects.has(keyOf(target))) throw refusal(409, `${target.name} exists`);
    const needsNamespace =
      target.namespace && keyOf({ ...target, group: '', resource: 'namespaces', namespace: '', name: target.namespace });
    if (needsNamespace && !this.#objects.has(needsNamespace)) throw refusal(404, `namespace ${target.namespace} not found`);
    const of = { group: target.group, resource: target.resource };
    const { key = '' } = this.#options;
    const made = target.view ? upsyncCreate({ of, name: target.name, key, submitted: sent }) : { object: sent };
    if ('refusal' in made) throw made.refusal;
    const { status: _status, ...object } = made.object;
    const annotations = { ...object.metadata?.annotations, ...(target.cluster && { 'kcp.io/cluster': target.cluster }) };
    const metadata = { ...object.metadata, ...(target.namespace && { namespace: target.namespace }), annotations };
    return this.#commit(target, { ...object, ...(!WITH_STATUS.has(target.resource) && { status: _status }), metadata });
  }

  #apply(target: Target, sent: KubeObject): KubeObject {
    if (this.#options.applies === false) throw refusal(415, 'no apply here');
    const stored = this.#objects.get(keyOf(target));
    if (!stored) return this.#create(target, sent);
    const annotations = { ...sent.metadata?.annotations, ...(target.cluster && { 'kcp.io/cluster': target.cluster }) };
    const { status } = stored;
    return this.#commit(target, {
      ...sent,
      metadata: { ...sent.metadata, annotations },
      ...(status !== undefined && { status }),
    });
  }

  #update(target: Target, stored: KubeObject, sent: KubeObject): KubeObject {
    const { resourceVersion } = sent.metadata ?? {};
    if (resourceVersion && resourceVersion !== stored.metadata?.resourceVersion) throw refusal(409, 'modified in between');
    const { view, resource, isStatus } = target;
    const write = { of: target, name: target.name, key: this.#options.key ?? '', stored, submitted: sent };
    if (view === 'upsyncer') {
      const result = upsyncUpdate(write);
      if ('refusal' in result) throw result.refusal;
      return this.#store(target, stored, result.object);
    }
    if (view === undefined) return this.#store(target, stored, sent);
    const plan = writePlan({ ...write, of: { group: target.group, resource }, subresource: isStatus ? 'status' : '' });
    if ('refusal' in plan) throw plan.refusal;
    let now = stored;
    for (const { put, object } of plan.puts) now = this.#store({ ...target, isStatus: put === 'status' }, now, object(now));
    const answer = plan.answer(now);
    return 'seen' in answer ? answer.seen : now;
  }

  #store({ isStatus, ...target }: Target, stored: KubeObject, sent: KubeObject): KubeObject {
    if (isStatus) return this.#commit({ isStatus, ...target }, { ...stored, status: sent.status });
    const keepsStatus = WITH_STATUS.has(target.resource) && stored.status !== undefined;
    const deletion = stored.metadata?.deletionTimestamp;
    const metadata = { ...sent.metadata, ...(deletion && { deletionTimestamp: deletion }) };
    return this.#commit({ isStatus, ...target }, { ...sent, metadata, ...(keepsStatus && { status: stored.status }) });
  }

  #delete(target: Target, stored: KubeObject, sent: KubeObject): object {
    const uid = (sent.preconditions as { uid?: string } | undefined)?.uid;
    if (uid && uid !== stored.metadata?.uid) throw refusal(409, 'another uid');
    if (target.resource === 'namespaces') this.#empty(target);
    return this.#commit(target, { ...stored, metadata: { ...stored.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
  }

  /** What is in a namespace goes with it. */
  #empty({ cluster, name: namespace }: Target): void {
    for (const key of [...this.#objects.keys()]) {
      const [resource = '', group = '', of = '', inside = '', name = ''] = key.split('|');
      if (of !== cluster || inside !== namespace) continue;
      this.#commit({ view: undefined, cluster, group, version: '', namespace, resource, name, isStatus: false }, undefined);
    }
  }
}
