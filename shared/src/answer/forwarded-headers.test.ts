import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../listener/exchange.ts';
import { headerValue, headerValues, type RawHeaders } from '../listener/headers.ts';
import { forwardedRequestHeaders, forwardedResponseHeaders, HOPS_HEADER, MAX_HOPS } from './forwarded-headers.ts';

const from = (headers: RawHeaders, address = '10.0.0.7'): string[] =>
  forwardedRequestHeaders({ headers, peer: { address } } as unknown as Exchange);

describe('the headers of a request', () => {
  it('travel when they are on the list, in their order, names in lower case', () => {
    const headers = ['Accept', 'a', 'User-Agent', 'curl/8', 'Accept', 'b', 'If-None-Match', '"x"', 'Audit-ID', '1'];
    expect(from(headers).slice(0, 10)).toEqual([
      ...['accept', 'a', 'user-agent', 'curl/8', 'accept', 'b', 'if-none-match', '"x"', 'audit-id', '1'],
    ]);
  });

  it('carry the trace on, if it is one', () => {
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const trail = (value: string): string | undefined =>
      headerValue(from(['Traceparent', value, 'Tracestate', 'x=y']), 'traceparent');
    expect([trail(trace), trail('00-a')]).toEqual([trace, undefined]);
  });

  // kcp GHSA-c8w2-fgvx-vhv4: a forged identity header that no proxy on the way has dropped.
  it.each([
    'Authorization',
    'X-Remote-User',
    'x-ReMoTe-eXtRa-authorization.kcp.io%2fwarrant',
    'X-Remote-Uid',
    'X_Remote_User',
    'Impersonate-Group',
    'Cookie',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Expect',
    'Upgrade',
    'TE',
    'Proxy-Authorization',
    'X-Anything-New',
  ])('stay behind otherwise: %s', name => {
    expect(from([name, 'system:admin'])).toEqual(['x-forwarded-for', '10.0.0.7', HOPS_HEADER, '1']);
  });

  // CVE-2021-31999, CVE-2022-23652: the proxy stamped first and stripped what `Connection` nominated then, its own stamp included.
  it('that Connection nominates are gone, while what is added stays', () => {
    const headers = [
      'Connection',
      `Accept, x-forwarded-for , ${HOPS_HEADER}`,
      'Accept',
      'a',
      'X-Forwarded-For',
      '1.1.1.1',
      'connection',
      'User-Agent',
      'User-Agent',
      'x',
    ];
    expect(from([...headers, HOPS_HEADER, '2'])).toEqual(['x-forwarded-for', '10.0.0.7', HOPS_HEADER, '3']);
  });

  it('name the client’s address after those of earlier proxies, in one line', () => {
    const headers = ['X-Forwarded-For', '1.1.1.1, 2.2.2.2', 'x-forwarded-for', '3.3.3.3'];
    expect(headerValues(from(headers, '::ffff:10.0.0.7'), 'x-forwarded-for')).toEqual(['1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.7']);
    expect(headerValue(from([], '2001:db8::1'), 'x-forwarded-for')).toBe('2001:db8::1');
  });

  it('gain no address on a Unix socket, where the peer is ourselves', () => {
    expect(headerValue(from(['X-Forwarded-For', '1.1.1.1'], 'unix'), 'x-forwarded-for')).toBe('1.1.1.1');
    expect(headerValue(from([], 'unix'), 'x-forwarded-for')).toBeUndefined();
  });

  it('are the first of their name where there may be but one', () => {
    expect(headerValues(from(['Content-Type', 'a', 'content-type', 'b']), 'content-type')).toEqual(['a']);
  });

  it('count the hop, and a count that is no number is taken for the last', () => {
    expect(headerValue(from([HOPS_HEADER, '2']), HOPS_HEADER)).toBe('3');
    for (const value of ['', '-1', '1e9', 'none', '99999999999999999999']) {
      expect(headerValue(from([HOPS_HEADER, value]), HOPS_HEADER)).toBe(String(MAX_HOPS));
    }
  });
});

it('the headers of a response travel without those that speak for our host or of a connection', () => {
  const headers = [
    'content-type',
    'a',
    'set-cookie',
    'x',
    'alt-svc',
    'h3',
    'connection',
    'close',
    'audit-id',
    '1',
    'content-length',
    '3',
  ];
  expect(forwardedResponseHeaders(headers)).toEqual(['content-type', 'a', 'audit-id', '1', 'content-length', '3']);
});
