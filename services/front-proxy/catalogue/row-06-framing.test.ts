/**
 * Row 6: two servers that read one message differently (CVE-2022-32213, -32214, -32215, -35256, CVE-2023-30589, CVE-2024-27982,
 * CVE-2025-23167). What the first takes for a body the second takes for a request, which nobody has authenticated.
 */
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, askFrames, askRaw, fieldsOf, PATH, statusOf } from './clients.fixture.ts';
import { startFleet } from './fleet.fixture.ts';

const fleet = await startFleet();
beforeEach(fleet.forget);
afterAll(cleanUp);

const START = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n`;
const SMUGGLED = `GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Remote-User: system:admin\r\n\r\n`;

const corpus: Record<string, string> = {
  'a length and chunks (CL.TE)': `${START}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunks and a length (TE.CL)': `${START}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'two lengths': `${START}Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc${SMUGGLED}`,
  'two equal lengths': `${START}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc${SMUGGLED}`,
  'a list of lengths': `${START}Content-Length: 3, 3\r\n\r\nabc${SMUGGLED}`,
  'a length with a sign': `${START}Content-Length: +3\r\n\r\nabc${SMUGGLED}`,
  'an encoding that is not chunked': `${START}Transfer-Encoding: gzip\r\n\r\n${SMUGGLED}`,
  'two encodings': `${START}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'an encoding behind a folded line': `${START}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a folded header': `${START}X: y\r\n X-Remote-User: system:admin\r\n\r\n`,
  'a bare LF': `${START}X: y\nContent-Length: 3\r\n\r\nabc`,
  'a bare CR': `${START}X: y\rContent-Length: 3\r\n\r\nabc`,
  'a head that ends in CR and another byte': `${START}\rX\r\n${SMUGGLED}`,
  'a space before the colon': `${START}Content-Length : 3\r\n\r\nabc`,
  'a space before the first header': `POST ${PATH} HTTP/1.1\r\n Content-Length: 3\r\nHost: a\r\n\r\nabc`,
  'a NUL in a header': `${START}X: a\0b\r\n\r\n`,
  'HTTP/1.0': `GET ${PATH} HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer alice-token\r\n\r\n`,
};

describe('over HTTP/1.1 a request is refused, its connection closed and nobody behind asked, if it has', () => {
  test.each(Object.keys(corpus))('%s', async name => {
    const received = await askRaw(fleet.port, corpus[name] as string);
    expect(statusOf(received)).toBe(400);
    expect(received.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect([fleet.shard.requests, fleet.service.requests]).toEqual([[], []]);
  });
});

describe('over HTTP/2 a request is refused and nobody behind gets it whole, if it has', () => {
  test.each([
    ['an encoding of HTTP/1.1', ['transfer-encoding', 'chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a length that is too short', ['content-length', '3'], `abc${SMUGGLED}`],
    ['a length that is too long', ['content-length', '9999'], SMUGGLED],
    ['a length that is no number', ['content-length', '3, 3'], 'abc'],
    ['a Connection header', ['connection', 'keep-alive'], 'abc'],
  ] as const)('%s', async (_, field, body) => {
    const { end } = await askFrames(fleet.port, fieldsOf({ method: 'POST', token: 'alice-token' }, field), body);
    expect(end).not.toBe('answered');
    // The next one on the connections behind gets the answer to what it asks.
    expect(await ask(fleet.port, '1.1', { token: 'alice-token' })).toMatchObject({ status: 200 });
    expect(fleet.shard.everything).not.toContain('smuggled');
    expect(fleet.shard.requests.map(({ method }) => method).filter(method => method === 'GET')).toHaveLength(1);
  });

  test('two lengths', async () => {
    const lengths = [['content-length', '3'] as const, ['content-length', '4'] as const];
    const { end } = await askFrames(fleet.port, fieldsOf({ method: 'POST', token: 'alice-token' }, ...lengths), 'abc');
    expect([end, fleet.shard.requests]).toEqual([expect.not.stringContaining('answered'), []]);
  });
});
