/** Test equipment: a registry that does what is asked of it with entries and leases, and remembers what that was. */
import { type FakeResponse, fakeUpstream, type SeenRequest } from '../testing/fake-upstream.ts';
import type { UpstreamFailure } from '../upstream/upstream.ts';
import type { Registry } from './registry-access.ts';
import { namespaceOf, VIRTUAL_WORKSPACES_PATH, type VirtualWorkspaceEndpoint } from './virtual-workspace.ts';

const BASE = '/clusters/root';
const OBJECT = new RegExp(`^${BASE}${VIRTUAL_WORKSPACES_PATH}/([^/]+)(/status)?$`);
const LEASE = new RegExp(`^${BASE}/apis/coordination\\.k8s\\.io/v1/namespaces/([^/]+)/leases/([^/]+)$`);

interface LeaseSpec {
  readonly acquireTime: string;
  readonly renewTime: string;
}

export class FakeRegistry {
  /** By view: what each field manager has applied. */
  readonly objects = new Map<string, Map<string, readonly VirtualWorkspaceEndpoint[]>>();
  /** By namespace and name. */
  readonly leases = new Map<string, LeaseSpec>();
  /** Instead of doing what is asked. */
  refuse: (request: SeenRequest) => FakeResponse | UpstreamFailure | undefined = () => undefined;
  closed = 0;
  readonly #upstream = fakeUpstream(request => this.refuse(request) ?? this.#answer(request));

  readonly registry: Registry = {
    upstream: {
      ...this.#upstream,
      basePath: BASE,
      setCredentials: () => undefined,
      close: async () => {
        this.closed += 1;
      },
    },
    basePath: BASE,
    description: 'https://registry.test/clusters/root',
  };

  install(view: string): void {
    this.objects.set(view, new Map());
  }

  entries(view: string): VirtualWorkspaceEndpoint[] {
    return [...(this.objects.get(view)?.values() ?? [])].flat();
  }

  lease(view: string, instance: string): LeaseSpec | undefined {
    return this.leases.get(`${namespaceOf(view)}/${instance}`);
  }

  get requests(): readonly SeenRequest[] {
    return this.#upstream.requests;
  }

  /** What was asked since the last call: method and the last part of the path. */
  takeRequests(): string[] {
    return this.#upstream.requests.splice(0).map(({ method, path }) => {
      const { pathname } = new URL(path, 'https://registry.test');
      return `${method} ${pathname.replace(/.*\/(virtualworkspaces|leases)\//, '$1/')}`;
    });
  }

  #answer({ method, path, body }: SeenRequest): FakeResponse {
    const { pathname, searchParams } = new URL(path, 'https://registry.test');
    const [, view, status] = OBJECT.exec(pathname) ?? [];
    if (view !== undefined) return this.#object(method, view, status !== undefined, searchParams, body);
    const [, namespace, name] = LEASE.exec(pathname) ?? [];
    if (namespace === undefined) return NOT_FOUND;
    const key = `${namespace}/${name}`;
    if (method === 'DELETE') return this.leases.delete(key) ? { body: {} } : NOT_FOUND;
    this.leases.set(key, JSON.parse(body).spec);
    return { status: 201, body: {} };
  }

  #object(method: string, view: string, isStatus: boolean, query: URLSearchParams, body: string): FakeResponse {
    const managers = this.objects.get(view);
    if (managers === undefined) return NOT_FOUND;
    if (method === 'PATCH' && isStatus) managers.set(query.get('fieldManager') ?? '', JSON.parse(body).status?.endpoints ?? []);
    return { body: { metadata: { name: view }, status: { endpoints: this.entries(view) } } };
  }
}

/** Not of JSON: so answers a server that knows nothing of the group. */
const NOT_FOUND: FakeResponse = { status: 404, headers: ['content-type', 'text/plain'], body: '404 page not found\n' };

export const statusOf = (code: number, message: string): FakeResponse => ({
  status: code,
  body: { kind: 'Status', code, message },
});
