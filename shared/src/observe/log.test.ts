import { describe, expect, test } from '@jest/globals';
import { createLogger, levelOf } from './log.ts';

function capture(verbosity = 2) {
  const lines: string[] = [];
  const log = createLogger({ name: 'test', verbosity, destination: { write: line => void lines.push(line) } });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('the log', () => {
  test('has klog verbosities as levels', () => {
    expect([0, 3, 4, 5, 6, 10].map(levelOf)).toEqual(['info', 'info', 'debug', 'debug', 'trace', 'trace']);
  });

  test('is one JSON object per line, with time, level, name and pid', () => {
    const { log, last } = capture();
    log.info({ port: 6444 }, 'listening');
    expect(last()).toMatchObject({ level: 'info', name: 'test', pid: process.pid, port: 6444, msg: 'listening' });
    expect(Date.parse(String(last().time))).not.toBeNaN();
  });

  test('leaves out what is below the verbosity', () => {
    const { log, lines } = capture(2);
    log.debug('detail');
    expect(lines).toEqual([]);
  });

  test('never shows headers or credentials, at any depth and in any spelling', () => {
    const { log, lines } = capture();
    log.info({ request: { headers: ['cookie', 'S3CRET'], inner: [{ 'Set-Cookie': 'S3CRET', clientKeyData: 'S3CRET' }] } }, 'x');
    log.child({ token: 'S3CRET' }).info({ Authorization: 'S3CRET', access_token: 'S3CRET' }, 'x');
    expect(lines.join('')).not.toContain('S3CRET');
    expect(lines[0]).toContain('[redacted]');
  });

  test('shows of an error its kind, message, code, stack and causes, but no other property', () => {
    const { log, last, lines } = capture();
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', request: { path: 'S3CRET' } });
    log.error({ err: new TypeError('no answer', { cause }) }, 'failed');
    expect(last().err).toMatchObject({
      type: 'TypeError',
      message: 'no answer',
      cause: { type: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    });
    expect(lines.join('')).not.toContain('S3CRET');
  });

  test('shows an error that is logged bare as well', () => {
    const { log, last } = capture();
    log.error(new Error('alone'));
    expect(last()).toMatchObject({ msg: 'alone', err: { message: 'alone' } });
  });

  test('cuts tokens out of texts', () => {
    const { log, lines } = capture();
    log.warn('sent Bearer abcdefghijklmnop and eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl too');
    expect(lines[0]).toContain('sent Bearer [redacted] and [redacted] too');
  });

  test('cuts private keys out of texts', () => {
    const { log, lines } = capture();
    log.warn('key: -----BEGIN RSA PRIVATE KEY-----\nS3CRET+/=\nS3CRET\n-----END RSA PRIVATE KEY-----');
    expect(lines[0]).not.toContain('S3CRET');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn' });
  });

  test('survives an object that refers to itself', () => {
    const { log, last } = capture();
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    log.info({ loop }, 'x');
    expect(last().msg).toBe('x');
  });
});
