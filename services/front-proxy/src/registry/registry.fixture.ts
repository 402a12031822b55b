/** Test equipment: a registry in memory, as far as a front proxy uses one, with a clock that the test moves. */
import { ManualClock } from '@kcp-vw/shared/informer/scripted.fixture.ts';
import { INITIAL_EVENTS_END, type KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import {
  type Condition,
  LEASES_PATH,
  namespaceOf,
  VIRTUAL_WORKSPACES_PATH,
  type VirtualWorkspace,
  type VirtualWorkspaceEndpoint,
  type VirtualWorkspaceSpec,
} from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { UpstreamError, type UpstreamHandler, type UpstreamRequest } from '@kcp-vw/shared/upstream/upstream.ts';

export const BASE_PATH = '/clusters/root';

interface Watch {
  readonly path: string;
  readonly write: (text: string) => void;
  readonly cut: () => void;
}

/** A write that came, with its query and body. */
export interface Write {
  readonly method: string;
  readonly path: string;
  readonly manager: string | null;
  readonly body: KubeObject;
}

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

export class FakeRegistry {
  readonly clock = new ManualClock();
  readonly writes: Write[] = [];
  /** Requests for one lease. */
  readonly asked: string[] = [];
  /** False: nothing gets through, and what was open is cut. */
  reachable = true;
  /** A watch stays open and says nothing any more, as when a network is gone without a word. */
  silent = false;
  /** Answers instead, by method and path: a status. */
  refuses = new Map<string, number>();
  readonly #objects = new Map<string, KubeObject>();
  readonly #watches = new Set<Watch>();
  #version = 10;

  readonly registry: Registry = {
    basePath: BASE_PATH,
    description: 'the fake registry',
    upstream: {
      name: 'registry',
      basePath: BASE_PATH,
      setCredentials: () => undefined,
      stats: () => ({ unaryConnections: 0, unaryInFlight: 0, watchSessions: 0, watchStreams: this.#watches.size }),
      close: async () => undefined,
      dispatch: (request, handler) => this.#dispatch(request, handler),
    },
  };

  /** Creates the object of a view, or replaces what is in it. */
  view(name: string, endpoints: readonly VirtualWorkspaceEndpoint[], spec: Partial<VirtualWorkspaceSpec> = {}): void {
    const before = this.object(name);
    this.#put(`${VIRTUAL_WORKSPACES_PATH}/${name}`, {
      metadata: { name, uid: before?.metadata?.uid ?? `uid-${this.#version}`, generation: 1 },
      spec: { path: `/services/${name}`, ...spec },
      status: { ...before?.status, endpoints },
    });
  }

  object(name: string): VirtualWorkspace | undefined {
    return this.#objects.get(`${VIRTUAL_WORKSPACES_PATH}/${name}`) as VirtualWorkspace | undefined;
  }

  removeView(name: string): void {
    this.#remove(`${VIRTUAL_WORKSPACES_PATH}/${name}`);
  }

  /** The instance says that it is alive. */
  renew(view: string, instance: string, leaseDurationSeconds = 15): void {
    const namespace = namespaceOf(view);
    this.#put(`${LEASES_PATH}/${namespace}/${instance}`, {
      metadata: { name: instance, namespace, uid: 'lease' },
      spec: { leaseDurationSeconds, renewTime: `renewed at ${this.#version}` },
    });
  }

  removeLease(view: string, instance: string): void {
    this.#remove(`${LEASES_PATH}/${namespaceOf(view)}/${instance}`);
  }

  hasLease(view: string, instance: string): boolean {
    return this.#objects.has(`${LEASES_PATH}/${namespaceOf(view)}/${instance}`);
  }

  cut(): void {
    for (const watch of [...this.#watches]) watch.cut();
  }

  /** Moves time second by second, as timers that plan each other need it. */
  async pass(seconds: number, each: () => void = () => undefined): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      each();
      await this.clock.advance(1_000);
    }
  }

  #put(key: string, object: KubeObject): void {
    this.#version += 1;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(key, stored);
    this.#publish(key, line(type, stored));
  }

  #remove(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#version += 1;
    this.#objects.delete(key);
    this.#publish(key, line('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }));
  }

  #publish(key: string, text: string): void {
    if (this.silent) return;
    for (const { path, write } of this.#watches) if (key.startsWith(`${path}/`)) write(text);
  }

  #dispatch(request: UpstreamRequest, handler: UpstreamHandler) {
    let aborted = false;
    let watch: Watch | undefined;
    const later = (action: () => void): void => {
      setImmediate(() => {
        if (!aborted) action();
      });
    };
    const fail = (): void => {
      if (watch) this.#watches.delete(watch);
      handler.onError(new UpstreamError('unreachable', 'the registry is away'));
    };
    later(() => {
      if (!this.reachable || (this.silent && !request.longRunning)) return fail();
      const url = new URL(request.path, 'https://registry');
      const path = url.pathname.slice(BASE_PATH.length);
      const refusal = this.refuses.get(`${request.method} ${path}`);
      if (refusal !== undefined) return answer(refusal, { kind: 'Status', code: refusal, message: 'no' });
      if (!url.searchParams.has('watch')) return this.#answer(request, path, url.searchParams, answer);
      handler.onHead(200, []);
      watch = { path, write: text => later(() => handler.onData(Buffer.from(text))), cut: () => later(fail) };
      this.#watches.add(watch);
      for (const [key, object] of this.#objects) if (key.startsWith(`${path}/`)) watch.write(line('ADDED', object));
      // Every watch begins with everything: a resumed one then sees again what it knows, which changes nothing.
      const annotations = { [INITIAL_EVENTS_END]: 'true' };
      watch.write(line('BOOKMARK', { metadata: { resourceVersion: String(this.#version), annotations } }));
    });
    const answer = (status: number, body: object): void => {
      handler.onHead(status, []);
      handler.onData(Buffer.from(JSON.stringify(body)));
      handler.onEnd();
    };
    return {
      resume: () => undefined,
      abort: () => {
        aborted = true;
        if (watch) this.#watches.delete(watch);
      },
    };
  }

  #answer(request: UpstreamRequest, path: string, query: URLSearchParams, answer: (status: number, body: object) => void): void {
    const { method } = request;
    const lease = /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/([^/]+)\/leases\/([^/]+)$/.exec(path);
    const key = lease ? `${LEASES_PATH}/${lease[1]}/${lease[2]}` : path.replace(/\/status$/, '');
    if (method === 'GET') this.asked.push(key);
    else {
      const body = typeof request.body === 'string' ? (JSON.parse(request.body) as KubeObject) : {};
      this.writes.push({ method, path, manager: query.get('fieldManager'), body });
    }
    const object = this.#objects.get(key);
    if (object === undefined) {
      answer(404, { kind: 'Status', code: 404, message: 'not found' });
      return;
    }
    if (method === 'DELETE') this.#remove(key);
    if (method === 'PATCH') this.#apply(key, object as VirtualWorkspace);
    answer(200, object);
  }

  /** What an API server makes of the last write: conditions come, and the entry of who applies none goes. */
  #apply(key: string, object: VirtualWorkspace): void {
    const { manager, body } = this.writes.at(-1) as Write;
    const { conditions } = (body.status ?? {}) as { conditions?: readonly Condition[] };
    const endpoints = (object.status?.endpoints ?? []).filter(({ instance }) => instance !== manager);
    this.#put(key, { ...object, status: { ...object.status, endpoints, ...(conditions && { conditions }) } });
  }
}
