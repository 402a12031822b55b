import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { expectationOf, faultOf, MAX_HEADERS, type RequestHead, withoutPseudoHeaders } from './request-head.ts';

const codeOf = (head: Partial<RequestHead>): number | undefined =>
  faultOf({ httpVersion: '1.1', method: 'GET', url: '/', headers: ['Host', 'a'], hasBody: false, ...head }, DEFAULT_LIMITS)?.code;

describe('the head of a request', () => {
  test.each<[string, Partial<RequestHead>]>([
    ['a GET', {}],
    ['HTTP/2', { httpVersion: '2.0', headers: ['host', 'a'] }],
    ['a path nobody has normalised', { url: '//a/%2e%2e/b?c=/' }],
    ['a POST with a length', { method: 'POST', hasBody: true, headers: ['host', 'a', 'content-length', '3145728'] }],
    ['a chunked DELETE', { method: 'DELETE', hasBody: true, headers: ['host', 'a', 'Transfer-Encoding', 'Chunked'] }],
    ['a GET that says it has no body', { headers: ['host', 'a', 'content-length', '0'] }],
    ['as many headers as allowed', { headers: ['host', 'a', ...Array(2 * (MAX_HEADERS - 1)).fill('x')] }],
  ])('is in order: %s', (_name, head) => {
    expect(codeOf(head)).toBeUndefined();
  });

  test.each<[number, string, Partial<RequestHead>]>([
    [400, 'HTTP/1.0', { httpVersion: '1.0' }],
    [400, 'a target that is no path', { url: 'http://a/' }],
    [400, 'no target', { url: '' }],
    [400, 'no Host', { headers: [] }],
    [400, 'two Hosts', { headers: ['Host', 'a', 'hOST', 'a'] }],
    [400, 'two Authorizations', { headers: ['Host', 'a', 'Authorization', 'x', 'AUTHORIZATION', 'x'] }],
    [400, 'a GET with a body', { hasBody: true }],
    [400, 'two lengths', { method: 'POST', headers: ['Host', 'a', 'content-length', '1', 'Content-Length', '1'] }],
    [
      400,
      'a length and chunks',
      { method: 'POST', headers: ['Host', 'a', 'content-length', '1', 'transfer-encoding', 'chunked'] },
    ],
    [400, 'a length that is no number', { method: 'POST', headers: ['Host', 'a', 'content-length', '1e3'] }],
    [400, 'another encoding', { method: 'POST', headers: ['Host', 'a', 'transfer-encoding', 'gzip, chunked'] }],
    [413, 'a body over the limit', { method: 'POST', hasBody: true, headers: ['Host', 'a', 'content-length', '3145729'] }],
    [431, 'too many headers', { headers: ['Host', 'a', ...Array(2 * MAX_HEADERS).fill('x')] }],
  ])('is answered with %d for %s', (code, _name, head) => {
    expect(codeOf(head)).toBe(code);
  });
});

describe('the headers of HTTP/2', () => {
  test('become those of HTTP/1.1, the authority the Host', () => {
    const raw = [':method', 'GET', ':authority', 'a', ':path', '/', 'x', '1', 'x', '2'];
    expect(withoutPseudoHeaders(raw)).toEqual(['host', 'a', 'x', '1', 'x', '2']);
    expect(withoutPseudoHeaders([':path', '/', 'host', 'a'])).toEqual(['host', 'a']);
    expect(withoutPseudoHeaders([':authority', 'a', 'host', 'a'])).toEqual(['host', 'a']);
  });

  // The Host is what one hop routes by, the authority what another does.
  test('keep two names of the host apart, so that they are refused', () => {
    expect(codeOf({ headers: withoutPseudoHeaders([':authority', 'a', 'host', 'b']) })).toBe(400);
    expect(codeOf({ headers: withoutPseudoHeaders([':authority', 'a', 'host', 'b', 'host', 'a']) })).toBe(400);
    expect(codeOf({ headers: withoutPseudoHeaders([':path', '/']) })).toBe(400);
  });
});

test('an expectation is 100-continue, something unknown, or none', () => {
  expect(expectationOf(['x', 'y'])).toBeUndefined();
  expect(expectationOf(['Expect', '100-Continue'])).toBe('continue');
  expect(expectationOf(['expect', '100-continue', 'expect', 'more'])).toBe('unknown');
  expect(expectationOf(['expect', ''])).toBe('unknown');
});
