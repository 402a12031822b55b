import { describe, expect, it } from '@jest/globals';
import { upstreamError } from './failure.ts';
import { RequestBodyError } from './request-body.ts';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

describe('a transport’s error', () => {
  it.each([
    ['ECONNREFUSED', false, 'unreachable', true],
    ['UND_ERR_CONNECT_TIMEOUT', false, 'unreachable', true],
    ['ENOTFOUND', false, 'unreachable', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', false, 'untrusted', true],
    ['CERT_HAS_EXPIRED', false, 'untrusted', true],
    ['ERR_TLS_CERT_ALTNAME_INVALID', false, 'untrusted', true],
    ['UND_ERR_INVALID_ARG', false, 'reset', true],
    ['ECONNRESET', true, 'reset', false],
    ['UND_ERR_SOCKET', true, 'reset', false],
    ['UND_ERR_HEADERS_TIMEOUT', true, 'timeout', false],
    ['UND_ERR_BODY_TIMEOUT', true, 'timeout', false],
  ])('%s, request begun: %s, is %s', (code, begun, failure, nothingSent) => {
    expect(upstreamError('shard', coded(code), begun)).toMatchObject({ failure, nothingSent });
  });

  it('of several addresses is told by the first', () => {
    const error = new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]);
    expect(upstreamError('shard', error, false).message).toBe('shard cannot be reached: ECONNREFUSED');
  });

  it('of the request body carries the body’s own error', () => {
    const cause = new Error('too large');
    expect(upstreamError('shard', new RequestBodyError('x', { cause }), true)).toMatchObject({ failure: 'reset', cause });
  });
});
