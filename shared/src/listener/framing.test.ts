/** HTTP/1.1 as attackers write it, byte by byte over TLS: what one hop reads differently from the next becomes a second request. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Exchange } from './exchange.ts';
import {
  answer,
  cleanUp,
  connectRaw,
  echo,
  exchangeRaw,
  parseRaw,
  type Served,
  serveTls,
  until,
  untilClosed,
} from './listener.fixture.ts';

afterEach(cleanUp);

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

const refused: Record<string, string> = {
  'Content-Length and Transfer-Encoding (CL.TE)': `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'Transfer-Encoding and Content-Length (TE.CL)': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n8\r\nSMUGGLED\r\n0\r\n\r\n${SMUGGLED}`,
  'two Content-Length headers': `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nabc${SMUGGLED}`,
  'two equal Content-Length headers': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
  'a list as Content-Length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc',
  'a negative Content-Length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
  'a signed Content-Length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc',
  'a hexadecimal Content-Length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc',
  'a Content-Length over 2^64': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nabc',
  'a Transfer-Encoding that is not chunked': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n${SMUGGLED}`,
  'a Transfer-Encoding with something before chunked':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'a Transfer-Encoding with something after chunked': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n${SMUGGLED}`,
  'an obscured Transfer-Encoding': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n${SMUGGLED}`,
  'Transfer-Encoding twice':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding twice, differently': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  // CVE-2022-32214, CVE-2023-30589: a lone CR or LF that ends a line for one hop and not for the other.
  'a bare LF after a header': 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
  'a bare CR after a header': 'GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n',
  'a bare CR in a header value': 'GET / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n',
  'a bare CR at the end of the head': 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\r\n',
  'bare LFs only': 'GET / HTTP/1.1\nHost: a\n\n',
  // CVE-2025-23167: the head ended by CRLF CR X.
  'a head that ends with CR and another byte': `GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n${SMUGGLED}`,
  // CVE-2022-35256, CVE-2022-32215: a folded line continues a header for one hop and begins one for the other.
  'a folded header': 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n',
  'a folded Transfer-Encoding': `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  // CVE-2024-27982: a space before a header's name or its colon hides it from one hop.
  'a space before the first header': 'POST / HTTP/1.1\r\n Content-Length: 5\r\nHost: a\r\n\r\nhello',
  'a space before the colon': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello',
  'a NUL in a header': 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
  'a header without a name': 'GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n',
  'a header without a colon': 'GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n',
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'two Hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'two equal Hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
  'two Authorizations': 'GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n',
  'a GET with a body': `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  'a GET with a chunked body': `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a HEAD with a body': 'HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx',
  'an OPTIONS with a body': 'OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.0': 'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
  'HTTP/0.9': 'GET /\r\n\r\n',
  'HTTP/3.0': 'GET / HTTP/3.0\r\nHost: a\r\n\r\n',
  'an unknown method': 'HACK / HTTP/1.1\r\nHost: a\r\n\r\n',
  'a target in absolute form': 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'an asterisk as target': 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'a space in the target': 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n',
  'no HTTP at all': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n',
};

/** The head is in order, so that the handler has seen it; then the body breaks its own framing. */
const brokenBodies: Record<string, string> = {
  'a chunk size that is no number': 'zz\r\nhello\r\n0\r\n\r\n',
  'a chunk that is longer than its size': '3\r\nhello\r\n0\r\n\r\n',
  'a chunk size that overflows': 'ffffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  'a chunk size with a sign': '+5\r\nhello\r\n0\r\n\r\n',
  'a chunk size in 0x notation': '0x5\r\nhello\r\n0\r\n\r\n',
  'bare LFs between chunks': '5\nhello\n0\n\n',
  'a bare CR after a chunk size': '5\rhello\r\n0\r\n\r\n',
  // CVE-2022-32213 and its follow-ups: the rest of an extension was taken for the next line.
  'a chunk extension with a bare LF': '5;a\nb\r\nhello\r\n0\r\n\r\n',
  // CVE-2024-22019: endless chunk extensions, read and thrown away as fast as they come.
  'chunk extensions without an end': `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
};

async function serveCounting(): Promise<Served & { readonly seen: string[] }> {
  const seen: string[] = [];
  const served = await serveTls(async exchange => {
    seen.push(exchange.url);
    await echo(exchange);
  });
  return { ...served, seen };
}

describe('a request is refused with 400 and the connection closed, and no handler sees it, if it has', () => {
  test.each(Object.keys(refused))('%s', async name => {
    const { port, seen, errors } = await serveCounting();
    const response = parseRaw(await exchangeRaw(port, refused[name] as string));
    expect(response.status).toBe(400);
    expect(response.head.toLowerCase()).toContain('connection: close');
    expect(seen).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('the connection is closed, nothing in it becomes a request, and the body fails, if it has', () => {
  test.each(Object.keys(brokenBodies))('%s', async name => {
    const seen: string[] = [];
    const outcomes: unknown[] = [];
    const { port } = await serveTls(async exchange => {
      seen.push(exchange.url);
      try {
        await echo(exchange);
        outcomes.push('complete');
      } catch (error) {
        outcomes.push(error);
      }
    });
    const head = 'POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const response = parseRaw(await exchangeRaw(port, `${head}${brokenBodies[name]}${SMUGGLED}`));
    expect([400, 413]).toContain(response.status);
    expect(seen).toEqual(['/first']);
    expect(outcomes).toHaveLength(1);
    expect(outcomes).not.toContain('complete');
  });
});

describe('framing', () => {
  test('answers with a Status', async () => {
    const { port } = await serveCounting();
    const { body, head } = parseRaw(await exchangeRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'));
    expect(head).toContain('content-type: application/json');
    expect(JSON.parse(body)).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'BadRequest', code: 400 });
    const unparsed = parseRaw(await exchangeRaw(port, 'nonsense\r\n\r\n'));
    expect(JSON.parse(unparsed.body)).toMatchObject({ kind: 'Status', code: 400 });
  });

  test('hears no second request behind one that was refused', async () => {
    const { port, seen } = await serveCounting();
    await exchangeRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${SMUGGLED}`);
    expect(seen).toEqual([]);
  });

  // http-proxy passed the body of a chunked DELETE unframed, and the upstream took it for a request (CVE-2026-29057).
  test('keeps a request in the body of a chunked DELETE a body', async () => {
    const { port, seen } = await serveCounting();
    const chunk = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
    const socket = await connectRaw(port);
    const received = until(socket, '/smuggled');
    socket.write(`DELETE /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    expect(parseRaw(await received).status).toBe(200);
    expect(seen).toEqual(['/first']);
  });

  test('answers pipelined requests in their order', async () => {
    const { port } = await serveTls(exchange => {
      // The first answer is the last one ready.
      if (exchange.url === '/1') setTimeout(() => answer(exchange, 'one'), 20);
      else answer(exchange, 'two');
    });
    const socket = await connectRaw(port);
    const received = until(socket, 'two');
    socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await received).match(/one|two/g)).toEqual(['one', 'two']);
  });

  // One small packet holds hundreds of requests; each would occupy a handler and a connection to a shard.
  test('ends a connection that pipelines more requests than it may have in flight', async () => {
    const running: Exchange[] = [];
    const { port, listener } = await serveTls(exchange => void running.push(exchange), { limits: { http2Streams: 10 } });
    await exchangeRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200));
    expect(running).toHaveLength(10);
    expect(running.every(({ closed }) => closed)).toBe(true);
    expect(listener.stats).toEqual({ connections: 0, exchanges: 0 });
  });

  test('cuts a response under way when what follows on its connection is no HTTP', async () => {
    const { port } = await serveTls(exchange => {
      exchange.writeHead(200, []);
      exchange.write('watching');
    });
    const socket = await connectRaw(port);
    const received = untilClosed(socket);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.once('data', () => socket.write('nonsense\r\n\r\n'));
    const text = await received;
    expect(text).not.toContain('400');
    expect(text).not.toContain('0\r\n\r\n');
  });

  test('counts every header, and refuses too many instead of forgetting some', async () => {
    const { port, seen } = await serveCounting();
    const many = (count: number): string =>
      `POST / HTTP/1.1\r\nHost: a\r\n${'x: y\r\n'.repeat(count)}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const passed = parseRaw(await exchangeRaw(port, `${many(3_000)}3\r\nabc\r\n0\r\n\r\n`));
    expect(JSON.parse(passed.body).body).toBe('abc');
    expect(parseRaw(await exchangeRaw(port, many(5_000))).status).toBe(431);
    expect(seen).toHaveLength(1);
  });
});
