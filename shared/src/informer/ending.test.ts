import { describe, expect, test } from '@jest/globals';
import { UpstreamError } from '../upstream/upstream.ts';
import { endingOfConnection, endingOfStatus } from './ending.ts';

const next = (code: number, status: unknown = {}, streamingList = false) =>
  endingOfStatus('watching things', status, { code, streamingList }).next;

describe('how a request ended', () => {
  test('410 means to read everything again, and is no error', () => {
    expect(endingOfStatus('watching things', { code: 410, message: 'too old resource version' }, {})).toEqual({ next: 'relist' });
  });

  test.each([429, 502, 503, 504])('%d says nothing about the version, which is kept', code => {
    expect(next(code)).toBe('resume');
  });

  test.each([400, 401, 403, 404, 500])('%d for a watch means to read everything again', code => {
    expect(next(code)).toBe('relist');
  });

  test.each([400, 422])('%d for a streamed list means to list instead', code => {
    expect(next(code, {}, true)).toBe('list');
  });

  test('a version that is too large means to read everything again, whatever the code', () => {
    expect(next(504, { message: 'Timeout: Too large resource version: 9, current: 3' })).toBe('relist');
    expect(next(504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } })).toBe('relist');
  });

  test('Retry-After counts, from the header or the Status, and is bounded', () => {
    const headers = ['Retry-After', '7'];
    expect(endingOfStatus('x', {}, { code: 429, headers }).retryAfter).toBe(7000);
    expect(endingOfStatus('x', { details: { retryAfterSeconds: 3 } }, { code: 429 }).retryAfter).toBe(3000);
    expect(endingOfStatus('x', {}, { code: 503, headers: ['retry-after', '86400'] }).retryAfter).toBe(300_000);
    expect(endingOfStatus('x', {}, { code: 503, headers: ['retry-after', 'soon'] }).retryAfter).toBeUndefined();
  });

  test('a body that is no Status does no harm', () => {
    expect(endingOfStatus('watching things', null, { code: 500 }).error?.message).toBe(
      'watching things: the server answered 500',
    );
  });

  test('a broken connection keeps the version', () => {
    expect(endingOfConnection('watching things', new UpstreamError('reset', 'gone')).next).toBe('resume');
  });

  test('a server that does not listen is taken for restarted: its data may be older than ours', () => {
    expect(endingOfConnection('watching things', new UpstreamError('unreachable', 'refused'))).toMatchObject({
      next: 'relist',
      restarted: true,
    });
  });
});
