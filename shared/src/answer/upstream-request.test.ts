import { expect, test } from '@jest/globals';
import type { Caller } from '../authn/identity.ts';
import { requestInfo } from '../target/request-info.ts';
import { parseTarget } from '../target/target.ts';
import type { Call } from '../view/view.ts';
import { type Destination, upstreamPath } from './upstream-request.ts';

const caller: Caller = { name: 'alice', uid: '', groups: [], extra: {}, method: 'token' };

function pathFor(url: string, plan: Destination, method = 'GET'): string {
  const rest = parseTarget(url);
  const call: Call = { caller, scope: { cluster: 'c1' }, request: requestInfo(method, rest), query: rest.query };
  return upstreamPath(call, rest, plan);
}

const identity = 'h4sh';

test.each([
  ['/apis/wild.io/v1/cowboys', '/apis/wild.io/v1/cowboys:h4sh'],
  ['/apis/wild.io/v1/cowboys/', '/apis/wild.io/v1/cowboys:h4sh/'],
  ['/apis/wild.io/v1/cowboys?limit=1&x=%61', '/apis/wild.io/v1/cowboys:h4sh?limit=1&x=%61'],
  ['/apis/wild.io/v1/cowboys/joe/status', '/apis/wild.io/v1/cowboys:h4sh/joe/status'],
  ['/apis/wild.io/v1/namespaces/x/cowboys/joe', '/apis/wild.io/v1/namespaces/x/cowboys:h4sh/joe'],
  ['/apis/wild.io/v1/namespaces/cowboys/cowboys/cowboys', '/apis/wild.io/v1/namespaces/cowboys/cowboys:h4sh/cowboys'],
  ['/apis/wild.io/v1/cowboys/a%2Fb', '/apis/wild.io/v1/cowboys:h4sh/a%2Fb'],
  ['/apis/wild.io/v1/watch/cowboys/joe', '/apis/wild.io/v1/watch/cowboys:h4sh/joe'],
  ['/api/v1/namespaces/x/pods/%70/log', '/api/v1/namespaces/x/pods:h4sh/%70/log'],
  ['/api/v1/namespaces/x/status', '/api/v1/namespaces:h4sh/x/status'],
  ['/%61pis/wild.io/v1/cow%62oys', '/%61pis/wild.io/v1/cow%62oys:h4sh'],
  ['/apis/wild.io/v1', '/apis/wild.io/v1'],
])('with an identity %s is asked for as %s', (url, expected) => {
  expect(pathFor(url, { identity })).toBe(`/clusters/c1${expected}`);
});

test('the identity is one segment, whatever is in it', () => {
  expect(pathFor('/apis/wild.io/v1/cowboys', { identity: 'a/../b?c' })).toBe(
    '/clusters/c1/apis/wild.io/v1/cowboys:a%2F..%2Fb%3Fc',
  );
});

test.each(['/apis/wild.io/v1/cowboys:other', '/apis/wild.io/v1/cowboys%3Aother/joe'])(
  'the identity in %s is not the caller’s to say',
  url => {
    expect(() => pathFor(url, { identity })).toThrow('could not find the requested resource');
  },
);

test('without an identity the path stays as it is', () => {
  expect(pathFor('/apis/wild.io/v1/cowboys:other', {})).toBe('/clusters/c1/apis/wild.io/v1/cowboys:other');
});
