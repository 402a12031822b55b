import { describe, expect, test } from '@jest/globals';
import { conflict } from '../kube/errors.ts';
import { PROTOBUF_MAGIC } from '../kube/protobuf.ts';
import { fieldBytes, fieldText } from '../kube/protobuf-write.ts';
import { type FakeResponse, fakeUpstream } from '../testing/fake-upstream.ts';
import type { Rewrite } from '../view/view.ts';
import { ask, headerIn, shown, stored, trail, WIDGET, WIDGETS } from './rewrite.fixture.ts';

const answering = (response: FakeResponse = { body: stored('a') }) => fakeUpstream(() => response);
/** Puts the version 7 in the place of any other. */
const request: NonNullable<Rewrite['request']> = (body, kind) =>
  kind === 'json-patch'
    ? (body as { path: string }[]).map(one => (one.path === '/metadata/resourceVersion' ? { ...one, value: '7' } : one))
    : { ...(body as object), metadata: { ...(body as { metadata?: object }).metadata, resourceVersion: '7' } };

describe('what is sent', () => {
  test.each([
    ['POST', WIDGETS, 'application/json', 'object', '{"metadata":{"name":"a"}}'],
    ['PUT', WIDGET, undefined, 'object', '{"metadata":{"name":"a"}}'],
    ['PUT', `${WIDGET}/status`, 'application/yaml', 'object', 'metadata:\n  name: a\n'],
    ['PATCH', WIDGET, 'application/merge-patch+json', 'merge-patch', '{"metadata":{"name":"a"}}'],
    ['PATCH', WIDGET, 'application/apply-patch+yaml', 'apply', 'metadata: {name: a}'],
  ])('%s %s in %s is seen as %s and sent as it was rewritten, in JSON', async (method, path, type, kind, body) => {
    const shard = answering();
    const seen: unknown[] = [];
    const exchange = await ask(shard, { request: (...all) => seen.push(all) && request(...all) }, method, path, {
      headers: type === undefined ? [] : ['content-type', type],
      body,
    });
    expect([exchange.status, seen]).toEqual([200, [[{ metadata: { name: 'a' } }, kind]]]);
    expect(JSON.parse(shard.requests[0]?.body ?? '')).toEqual({ metadata: { name: 'a', resourceVersion: '7' } });
    const expected = type?.includes('patch') ? type : 'application/json';
    expect(headerIn(shard.requests[0], 'content-type')).toBe(expected);
  });

  test('a JSON patch is seen as whatever is in it', async () => {
    const shard = answering();
    const body = [
      { op: 'test', path: '/metadata/resourceVersion', value: '1000' },
      { op: 'remove', path: '/spec/color' },
    ];
    await ask(shard, { request }, 'PATCH', WIDGET, { headers: ['content-type', 'application/json-patch+json'], body });
    expect(JSON.parse(shard.requests[0]?.body ?? '')).toEqual([{ ...body[0], value: '7' }, body[1]]);
  });

  test('an apply is YAML whatever characters are in it', async () => {
    const shard = answering();
    const options = { headers: ['content-type', 'application/apply-patch+yaml'], body: { spec: { color: 'a\u2028b\u0085' } } };
    await ask(shard, { request }, 'PATCH', WIDGET, options);
    expect(shard.requests[0]?.body).toContain(String.raw`a\u2028b\u0085`);
  });

  test.each([
    ['POST', WIDGETS, 'application/json', '{ "spec": {"n": 1.0, "n": 2} }'],
    ['PUT', WIDGET, 'application/yaml', 'spec: { n: 1.0 } # mine'],
    ['PATCH', WIDGET, 'application/json-patch+json', '[ ]'],
    ['DELETE', WIDGET, 'application/json', '{ "propagationPolicy": "Orphan" }'],
  ])('are the caller’s own bytes where nothing is changed: %s %s', async (method, path, type, body) => {
    for (const plan of [{}, { request: (given: unknown) => given }]) {
      const shard = answering();
      await ask(shard, plan, method, path, { headers: ['content-type', type], body });
      expect(shard.requests[0]?.body).toBe(body);
      expect(headerIn(shard.requests[0], 'content-type')).toBe(type);
    }
  });

  test('goes with the caller’s query, as whom the plan says, and asks for JSON', async () => {
    const shard = answering();
    const path = `${WIDGETS}?dryRun=All&fieldManager=kubectl-create&fieldValidation=Strict`;
    const headers = ['accept', 'application/yaml', 'accept-encoding', 'gzip', 'x-remote-user', 'admin'];
    await ask(shard, { request, cluster: 'c2', identity: 'h4sh' }, 'POST', path, { headers, body: {} });
    const [sent] = shard.requests;
    expect(sent?.path).toBe(
      '/clusters/c2/apis/example.dev/v1/widgets:h4sh?dryRun=All&fieldManager=kubectl-create&fieldValidation=Strict',
    );
    expect(['accept', 'impersonate-user', 'accept-encoding', 'x-remote-user'].map(name => headerIn(sent, name))).toEqual([
      'application/json',
      'alice',
      undefined,
      undefined,
    ]);
  });

  test('keeps the digits of numbers that a double does not hold', async () => {
    const shard = answering({ body: '{"metadata":{"name":"a"},"spec":{"n":9007199254740993}}' });
    const exchange = await ask(shard, { request, response: shown }, 'POST', WIDGETS, { body: '{"spec":{"n":9007199254740993}}' });
    expect(shard.requests[0]?.body).toContain('9007199254740993');
    expect(exchange.text).toContain('9007199254740993');
  });

  test('is nothing where it is refused', async () => {
    const shard = answering();
    const refusal = conflict({ group: 'example.dev', resource: 'widgets' }, 'a', 'too old');
    for (const refusing of [() => refusal, () => Promise.reject(refusal)]) {
      const exchange = await ask(shard, { request: refusing }, 'PUT', WIDGET, { body: {} });
      expect([exchange.status, exchange.json]).toMatchObject([409, { reason: 'Conflict' }]);
    }
    expect(shard.requests).toEqual([]);
  });

  test.each([
    ['POST', WIDGETS, 'application/vnd.kubernetes.protobuf', 415],
    ['PATCH', WIDGET, 'application/strategic-merge-patch+json', 415],
    ['PATCH', WIDGET, 'text/plain', 415],
    ['POST', WIDGETS.replace('/v1/', '/v1%2F'), 'application/json', 400],
  ])('is nothing for %s %s in %s', async (method, path, type, status) => {
    const shard = answering();
    const exchange = await ask(shard, { request }, method, path, { headers: ['content-type', type], body: '{}' });
    expect([exchange.status, shard.requests]).toEqual([status, []]);
  });

  test('is nothing in protobuf for a built-in resource either, where it would have to be read', async () => {
    const headers = ['content-type', 'application/vnd.kubernetes.protobuf'];
    const { customKind: _, ...plan }: Partial<Rewrite> = { request };
    const exchange = await ask(answering(), { ...plan, customKind: undefined as never }, 'POST', WIDGETS, {
      headers,
      body: 'k8s',
    });
    expect(exchange.status).toBe(415);
  });

  test.each([
    ['POST', WIDGETS, 'application/json', '{"a":'],
    ['PATCH', WIDGET, 'application/merge-patch+json', '[]'],
    ['PATCH', WIDGET, 'application/json-patch+json', 'x'],
  ])('of what cannot be read is a question to the shard, which says why: %s %s', async (method, path, type, body) => {
    const refusal = { status: 400, body: { kind: 'Status', message: 'in the words of the shard', code: 400 } };
    const shard = answering(refusal);
    const exchange = await ask(shard, { request }, method, path, { headers: ['content-type', type], body });
    expect([exchange.status, exchange.json]).toEqual([400, refusal.body]);
    expect(trail(shard)).toEqual([expect.stringContaining('dryRun=All')]);
    const taken = await ask(answering(), { request }, method, path, { headers: ['content-type', type], body });
    expect([taken.status, taken.json]).toMatchObject([400, { reason: 'BadRequest' }]);
  });

  test('of what cannot be read is refused without any question where the plan says so', async () => {
    const shard = answering({ status: 400 });
    const headers = ['content-type', 'application/merge-patch+json'];
    const exchange = await ask(shard, { request: body => body, unreadable: 'refuse' }, 'PATCH', WIDGET, { headers, body: '{' });
    expect([exchange.status, exchange.json, shard.requests]).toMatchObject([400, { reason: 'BadRequest' }, []]);
  });
});

describe('the options of a delete', () => {
  const precondition: NonNullable<Rewrite['request']> = body => ({ ...(body as object), preconditions: { uid: 'u1' } });

  test('are rewritten in JSON', async () => {
    const shard = answering();
    await ask(shard, { request: precondition }, 'DELETE', `${WIDGET}?dryRun=All`, {
      body: { propagationPolicy: 'Background' },
    });
    expect(JSON.parse(shard.requests[0]?.body ?? '')).toMatchObject({
      propagationPolicy: 'Background',
      preconditions: { uid: 'u1' },
    });
    expect(trail(shard)).toEqual(['DELETE /a?dryRun=All']);
  });

  // A shard that gets a body does not look at the query.
  test('of the query are in the body that is made', async () => {
    const shard = answering();
    await ask(shard, { request: precondition }, 'DELETE', `${WIDGET}?dryRun=All&gracePeriodSeconds=5`);
    expect(JSON.parse(shard.requests[0]?.body ?? '')).toMatchObject({
      kind: 'DeleteOptions',
      dryRun: ['All'],
      gracePeriodSeconds: 5,
      preconditions: { uid: 'u1' },
    });
  });

  test('stay in the query where nothing is changed', async () => {
    const shard = answering();
    await ask(shard, { request: body => body }, 'DELETE', `${WIDGET}?propagationPolicy=Orphan`);
    expect([shard.requests[0]?.body, trail(shard)]).toEqual(['', ['DELETE /a?propagationPolicy=Orphan']]);
  });

  test('in protobuf stay protobuf, with other preconditions', async () => {
    const head = fieldBytes(1, Buffer.concat([fieldText(1, 'v1'), fieldText(2, 'DeleteOptions')]));
    const body = Buffer.concat([PROTOBUF_MAGIC, head, fieldBytes(2, fieldBytes(2, fieldText(1, 'theirs')))]).toString();
    const shard = answering();
    const seen: unknown[] = [];
    await ask(shard, { request: (...all) => seen.push(all) && precondition(...all) }, 'DELETE', WIDGET, {
      headers: ['content-type', 'application/vnd.kubernetes.protobuf'],
      body,
    });
    expect(seen).toEqual([[{ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'theirs' } }, 'delete-options']]);
    expect(shard.requests[0]?.body).toMatch(/^k8s\0.*u1/s);
    expect(headerIn(shard.requests[0], 'content-type')).toBe('application/vnd.kubernetes.protobuf');
  });

  test('that are none are 400', async () => {
    const exchange = await ask(answering(), { request: precondition }, 'DELETE', WIDGET, { body: '{"preconditions":5}' });
    expect(exchange.status).toBe(400);
  });
});

describe('what is answered', () => {
  const AS_SHOWN = { ...stored('a'), metadata: { name: 'a', resourceVersion: '1000', annotations: {} } };

  test.each([
    ['GET', WIDGET, 200],
    ['POST', WIDGETS, 201],
    ['DELETE', WIDGET, 202],
  ])('is the object as it is shown, with the shard’s status and warnings: %s %s', async (method, path, status) => {
    const headers = ['content-type', 'application/json', 'warning', '299 - "old"', 'warning', '299 - "older"', 'etag', 'W/"1"'];
    const shard = answering({ status, headers, body: stored('a') });
    const exchange = await ask(shard, { response: shown }, method, path, method === 'POST' ? { body: {} } : {});
    expect([exchange.status, exchange.json]).toEqual([status, AS_SHOWN]);
    expect(exchange.responseHeaders.filter(text => text.startsWith('299'))).toEqual(['299 - "old"', '299 - "older"']);
    expect(exchange.responseHeader('etag')).toBeUndefined();
    expect(exchange.responseHeader('content-length')).toBe(String(Buffer.byteLength(exchange.text)));
  });

  test('waits for what the plan waits for', async () => {
    const exchange = await ask(answering(), { response: async object => shown(object) }, 'GET', WIDGET);
    expect(exchange.json).toEqual(AS_SHOWN);
  });

  test('is in YAML, indented, as a Table or as metadata, as it is asked for', async () => {
    const form = async (...headers: string[]) => ask(answering(), { response: shown }, 'GET', WIDGET, { headers });
    const yaml = await form('accept', 'application/yaml');
    expect([yaml.responseHeader('content-type'), yaml.text]).toEqual([
      'application/yaml',
      expect.stringContaining('kind: Widget\n'),
    ]);
    expect((await form('user-agent', 'curl/8')).text).toContain('\n  "kind": "Widget"');
    const table = await form('accept', 'application/json;as=Table;v=v1;g=meta.k8s.io');
    expect(table.json).toMatchObject({
      kind: 'Table',
      rows: [{ cells: ['a', 'red'], object: { metadata: { annotations: {} } } }],
    });
    const partial = await form('accept', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io');
    expect(partial.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: AS_SHOWN.metadata });
  });

  test('nothing is done for a caller who takes no answer that there is', async () => {
    const shard = answering();
    const exchange = await ask(shard, {}, 'DELETE', WIDGET, { headers: ['accept', 'application/vnd.kubernetes.protobuf'] });
    expect([exchange.status, shard.requests]).toEqual([406, []]);
  });

  test.each([403, 404, 409, 422, 500])('is the error that the shard says: %i', async status => {
    const text = `{ "kind": "Status", "code": ${status} }`;
    const never: Rewrite['response'] = () => {
      throw new Error('an error is no object');
    };
    const exchange = await ask(answering({ status, body: text }), { response: never }, 'GET', WIDGET);
    expect([exchange.status, exchange.text]).toEqual([status, text]);
  });

  test('is the Status that a delete ends with, never a Table of it', async () => {
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
    const never: Rewrite['response'] = () => {
      throw new Error('a Status is no object');
    };
    for (const accept of ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io']) {
      const exchange = await ask(answering({ body: status }), { response: never }, 'DELETE', WIDGET, {
        headers: ['accept', accept],
      });
      expect([exchange.status, exchange.json]).toEqual([200, status]);
    }
    const yaml = await ask(answering({ body: status }), {}, 'DELETE', WIDGET, { headers: ['accept', 'application/yaml'] });
    expect(yaml.text).toContain('status: Success\n');
  });

  test('to a HEAD is a head', async () => {
    const shard = answering({ headers: ['content-type', 'application/json', 'content-length', '99', 'warning', '299 - "old"'] });
    const exchange = await ask(shard, { response: shown }, 'HEAD', WIDGET);
    expect([exchange.status, exchange.text, trail(shard)]).toEqual([200, '', ['HEAD /a']]);
    expect(exchange.responseHeaders).toEqual(['warning', '299 - "old"']);
  });

  test('is a Status where the shard gives no answer', async () => {
    const exchange = await ask(
      fakeUpstream(() => 'unreachable'),
      {},
      'GET',
      WIDGET,
    );
    expect([exchange.status, exchange.responseHeader('retry-after')]).toEqual([503, '1']);
  });

  test.each(['GET', 'DELETE'])('is 405 for a collection: %s', async method => {
    const shard = answering();
    expect((await ask(shard, {}, method, WIDGETS)).status).toBe(405);
    expect(shard.requests).toEqual([]);
  });
});
