import { describe, expect, test } from '@jest/globals';
import type { ApiResource } from '../kube/discovery.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import { fakeExchange } from '../testing/fake-exchange.ts';
import { createApiDocuments, serveDocument } from './documents.ts';

const APIS: readonly ApiResource[] = Array.from({ length: 20 }, (_, i) => ({
  ...{ group: 'example.io', version: 'v1', name: `things${i}`, singularName: `thing${i}`, kind: `Thing${i}` },
  ...{ namespaced: true, verbs: ['get', 'list'] },
}));
const documents = createApiDocuments('127.0.0.1:6443');

function ask(url: string, headers: Record<string, string> = {}, { method = 'GET', apis = APIS, aggregated = true } = {}) {
  const exchange = fakeExchange(method, `/services/x/clusters/c${url}`, { headers: Object.entries(headers).flat() });
  const served = serveDocument(exchange, documents, apis, requestInfo(method, parseTarget(url)), { aggregated });
  const header = (name: string) => exchange.responseHeader(name);
  return { served, exchange, status: exchange.status, header, bytes: exchange.bytesWritten };
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

describe('discovery', () => {
  test('is plain, whatever the client prefers, where the view says so', () => {
    const { exchange, header } = ask('/apis', { accept: `${AGGREGATED},application/json` }, { aggregated: false });
    expect(header('content-type')).toBe('application/json');
    expect(exchange.json).toMatchObject({ kind: 'APIGroupList' });
  });

  test('is aggregated where the client prefers that, and its type says so', () => {
    const { exchange, header } = ask('/apis', { accept: `${AGGREGATED},application/json` });
    expect(header('content-type')).toBe(AGGREGATED);
    expect(exchange.json).toMatchObject({ kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: 'example.io' } }] });
    expect(ask('/api', { accept: AGGREGATED }).exchange.json).toMatchObject({ items: [] });
  });

  test('is not aggregated for a single group', () => {
    expect(() => ask('/apis/example.io', { accept: AGGREGATED })).toThrow('only the following media types are accepted');
  });

  test('is indented for what people read with, with an ETag of its own', () => {
    const [compact, shown, asked] = [ask('/apis'), ask('/apis', { 'user-agent': 'curl/8.0' }), ask('/apis?pretty=1')];
    expect(shown.exchange.text).toMatch(/^\{\n {2}"kind"/);
    expect(asked.exchange.text).toBe(shown.exchange.text);
    expect(shown.exchange.json).toEqual(compact.exchange.json);
    expect(shown.header('etag')).not.toBe(compact.header('etag'));
  });

  test('has an ETag for each of its forms', () => {
    const accepts = ['application/json', 'application/yaml', AGGREGATED, 'application/vnd.kubernetes.protobuf'];
    const etags = accepts.map(accept => ask('/apis', { accept }).header('etag') ?? '');
    expect(new Set(etags).size).toBe(4);
    const statuses = accepts.map((accept, i) => ask('/apis', { accept, 'if-none-match': etags[i] ?? '' }).status);
    expect(statuses).toEqual([304, 304, 304, 304]);
    expect(ask('/apis', { accept: AGGREGATED, 'if-none-match': etags[0] ?? '' }).status).toBe(200);
  });

  test('is made once for an API set', () => {
    const [document] = documents.find(APIS, '/apis/example.io/v1')?.forms ?? [];
    expect(document?.make().body).toBe(documents.find(APIS, '/apis/example.io/v1')?.forms[0]?.make().body);
    expect(documents.find([...APIS], '/apis/example.io/v1')?.forms[0]?.make().body).not.toBe(document?.make().body);
  });
});

describe('the root', () => {
  test('lists the paths that are served, sorted, to whoever asks', () => {
    const { exchange, header } = ask('/', { accept: 'text/html' });
    expect(header('content-type')).toBe('application/json');
    expect(exchange.json).toEqual({
      paths: ['/api', '/apis', '/apis/example.io', '/apis/example.io/v1', '/openapi/v3', '/version'],
    });
  });
});

describe('a document', () => {
  test('is gzipped for who accepts that, with another ETag', () => {
    const plain = ask('/apis/example.io/v1');
    const gzipped = ask('/apis/example.io/v1', { 'accept-encoding': 'br, gzip;q=0.8' });
    expect(gzipped.header('content-encoding')).toBe('gzip');
    expect(gzipped.header('vary')).toBe('Accept, Accept-Encoding');
    expect(gzipped.bytes).toBeLessThan(plain.bytes);
    expect(Number(gzipped.header('content-length'))).toBe(gzipped.bytes);
    expect(gzipped.header('etag')).not.toBe(plain.header('etag'));
    const again = { 'accept-encoding': 'gzip', 'if-none-match': gzipped.header('etag') ?? '' };
    expect(ask('/apis/example.io/v1', again).status).toBe(304);
  });

  test.each(['identity', 'gzip;q=0', '*;q=0', 'br'])('is not gzipped for who accepts %j', coding => {
    expect(ask('/apis/example.io/v1', { 'accept-encoding': coding }).header('content-encoding')).toBeUndefined();
  });

  test('is told by its head as it would be sent', () => {
    const [get, head] = ['GET', 'HEAD'].map(method => ask('/apis/example.io/v1', { 'accept-encoding': 'gzip' }, { method }));
    expect(head?.exchange.responseHeaders).toEqual(get?.exchange.responseHeaders);
    expect(head?.bytes).toBe(0);
  });

  test('cannot be written to', () => {
    expect(() => ask('/apis', {}, { method: 'POST' })).toThrow('post is not supported');
  });

  test('is not found where there is none', () => {
    expect(['/apis/other.io', '/openapi/v3/apis/other.io/v1', '/openapi/v2', '/metrics'].map(url => ask(url).served)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('OpenAPI', () => {
  const serverUrl = (): string => {
    const { paths } = ask('/openapi/v3').exchange.json as { paths: Record<string, { serverRelativeURL: string }> };
    return paths['apis/example.io/v1']?.serverRelativeURL ?? '';
  };

  test('by its hash may be kept, by whom it was sent to', () => {
    const { status, header } = ask(serverUrl());
    expect([status, header('cache-control')]).toEqual([200, 'private, immutable']);
    expect(Date.parse(header('expires') ?? '')).toBeGreaterThan(Date.now() + 360 * 24 * 3600 * 1000);
  });

  test('by an older hash is what it is now, and not to be kept', () => {
    const { exchange, status, header } = ask('/openapi/v3/apis/example.io/v1?hash=ABC');
    expect([status, header('cache-control'), header('expires')]).toEqual([200, 'no-cache, private', undefined]);
    expect(exchange.json).toMatchObject({ openapi: '3.0.0' });
  });

  test('has an index for whoever asks, but no protobuf', () => {
    const protobuf = { accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf' };
    expect(ask('/openapi/v3', protobuf).header('content-type')).toBe('application/json');
    expect(() => ask('/openapi/v3/apis/example.io/v1', protobuf)).toThrow('only the following media types are accepted');
  });
});
