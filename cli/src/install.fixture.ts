/** Test equipment: the little of an API server that `kcp-vw install` talks to, on a port of the loopback address. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';

export interface FakeApi {
  readonly url: string;
  /** By path. */
  readonly objects: Map<string, KubeObject>;
  /** `PATCH /path?query`, in the order in which they came. */
  readonly requests: string[];
  /** Asked before everything else: an answer of one's own. */
  intercept: (method: string, path: string) => { readonly status: number; readonly body: object | string } | undefined;
  close(): Promise<void>;
}

const NOT_FOUND = { kind: 'Status', status: 'Failure', message: 'not found', code: 404 };
/** Reads of a definition until it is established, and of a Secret until it has its token. */
const READS = 2;

export async function fakeApi(workspace: string): Promise<FakeApi> {
  const objects = new Map<string, KubeObject>();
  const requests: string[] = [];
  const reads = new Map<string, number>();

  const read = (path: string): KubeObject | undefined => {
    const object = objects.get(path);
    const count = (reads.get(path) ?? 0) + (object === undefined ? 0 : 1);
    reads.set(path, count);
    if (object === undefined || count < READS) return object;
    if (object.kind === 'CustomResourceDefinition') {
      const established = { ...object, status: { conditions: [{ type: 'Established', status: 'True' }] } };
      objects.set(path, established);
      return established;
    }
    if (object.kind !== 'Secret') return object;
    const token = Buffer.from(`token of ${object.metadata?.name}`).toString('base64');
    objects.set(path, { ...object, data: { token } });
    return objects.get(path);
  };
  const apply = (path: string, applied: KubeObject): readonly [number, KubeObject] => {
    const before = objects.get(path);
    const { status, data, metadata } = before ?? {};
    const next = {
      ...applied,
      metadata: { ...applied.metadata, uid: metadata?.uid ?? path, resourceVersion: metadata?.resourceVersion ?? '0' },
      ...(status !== undefined && { status }),
      ...(data !== undefined && { data }),
    };
    if (!isDeepStrictEqual(next, before)) next.metadata.resourceVersion = String(Number(next.metadata.resourceVersion) + 1);
    objects.set(path, next);
    return [before === undefined ? 201 : 200, next];
  };

  const api: FakeApi = {
    url: '',
    objects,
    requests,
    intercept: () => undefined,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
  const answer = async (request: IncomingMessage): Promise<readonly [number, object | string]> => {
    const { method = '', url = '' } = request;
    const body = await textOf(request);
    requests.push(`${method} ${url}`);
    const path = url.split('?')[0] ?? '';
    const own = api.intercept(method, path);
    if (own !== undefined) return [own.status, own.body];
    if (!path.startsWith(`${workspace}/`)) return [403, { message: `no workspace at ${path}` }];
    if (method === 'GET') {
      const object = read(path);
      return object === undefined ? [404, NOT_FOUND] : [200, object];
    }
    if (method !== 'PATCH' || request.headers['content-type'] !== 'application/apply-patch+yaml') return [405, NOT_FOUND];
    return apply(path, JSON.parse(body));
  };
  const server: Server = createServer(async (request, response) => {
    const [status, body] = await answer(request);
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' });
    response.end(isText ? body : JSON.stringify(body));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(api, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
