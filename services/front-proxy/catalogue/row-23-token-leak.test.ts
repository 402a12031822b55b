/**
 * Row 23: tokens where people read (CVE-2019-11250, CVE-2020-8565): in logs at high verbosity, in the message of an error, in a trace. Here
 * every place of a request that can hold a secret holds one, on the way that works and on all that do not, with the most verbose logs;
 * then everything that was written anywhere is searched.
 */
import { afterAll, expect, test } from '@jest/globals';
import { cleanUp, eventually } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { type Span, type Tracer, trace } from '@opentelemetry/api';
import { ask, askFrames, askRaw, fieldsOf, PATH, protocols, type Question, RECORDED, WATCH } from './clients.fixture.ts';
import { SHARD_TOKEN, startFleet } from './fleet.fixture.ts';
import { type Respond, respondWith } from './recording.fixture.ts';

/** Whatever is told to a span, in JSON. */
const spans: string[] = [];
const span = new Proxy({} as Span, {
  get:
    (_, method) =>
    (...told: unknown[]) =>
      void spans.push(`${String(method)} ${JSON.stringify(told)}`),
});
const tracer = {
  startActiveSpan: (name: string, ...rest: unknown[]) => {
    spans.push(`${name} ${JSON.stringify(rest)}`);
    return (rest.at(-1) as (span: Span) => unknown)(span);
  },
  startSpan: (name: string, ...rest: unknown[]) => {
    spans.push(`${name} ${JSON.stringify(rest)}`);
    return span;
  },
} as Tracer;
trace.setGlobalTracerProvider({ getTracer: () => tracer });

const fleet = await startFleet();
afterAll(async () => {
  trace.disable();
  await cleanUp();
});

const canary = (place: string): string => `canary-${place}-0123456789`;
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
/** However it is written. */
const CANARY = new RegExp(`canary-|${base64url('canary-')}|${Buffer.from('canary-').toString('hex')}`, 'i');

const EVERYWHERE = {
  cookie: `session=${canary('cookie')}`,
  'proxy-authorization': `Bearer ${canary('proxy')}`,
  'sec-websocket-protocol': `base64url.bearer.authorization.k8s.io.${base64url(canary('websocket'))}, v4.channel.k8s.io`,
  'x-api-key': canary('key'),
  'x-remote-extra-token': canary('extra'),
  'x-forwarded-access-token': canary('forwarded'),
};
const QUERY = `access_token=${canary('query')}`;

const valid = canary('valid');
fleet.reviews.set(valid, { authenticated: true, user: { username: 'alice' } });

/** With the token in its answer, as many servers show what they have not understood. */
const echo: Respond = (request, response) => respondWith(500, { kind: 'Status', message: request.body })(request, response);
const garble: Respond = (request, response) => response.writeHead(201).end(`no JSON: ${request.body}`);
const reset: Respond = (_request, response) => void response.socket?.destroy();

test('no secret of a request is in a log, a metric, an audit line, a trace or an error', async () => {
  const bodies: string[] = [];
  let fresh = 0;
  const unknown = (): string => canary(`unknown-${fresh++}`);
  for (const protocol of protocols) {
    const tell = async (question: Question): Promise<void> => {
      const { body, headers } = await ask(fleet.port, protocol, { headers: EVERYWHERE, ...question });
      bodies.push(body, JSON.stringify(headers));
    };
    for (const path of [PATH, RECORDED, `${PATH}?${QUERY}`, `${WATCH}&${QUERY}`, `/services/none/x?${QUERY}`]) {
      fleet.shard.respond = respondWith(200, { kind: 'ConfigMap' });
      await tell({ path, token: valid });
      await tell({ path, token: unknown() });
      await tell({ path });
      await tell({ path, headers: { ...EVERYWHERE, authorization: `Basic ${base64url(`root:${canary('basic')}`)}` } });
      await tell({ path, headers: { ...EVERYWHERE, authorization: `Bearer ${canary('spaced')} ${canary('second')}` } });
      await tell({ path, headers: { ...EVERYWHERE, authorization: canary('without-a-scheme') } });
      for (const respond of [reset, respondWith(500, 'broken'), respondWith(307, '', { location: '/' }), respondWith(401, '')]) {
        fleet.shard.respond = respond;
        fleet.service.respond = respond;
        await tell({ path, token: valid });
      }
      fleet.shard.respond = fleet.service.respond = respondWith(200, {});
    }
    await tell({ path: `/services/mirror/../x?${QUERY}`, token: valid });
    await tell({ token: `${unknown()}${'x'.repeat(70_000)}` });
    await tell({ token: valid, method: 'POST', body: canary('body'), trailers: { 'x-token': canary('trailer') } });
    await tell({ token: valid, method: 'POST', body: canary('body').repeat(200_000) });
    await tell({ token: valid, headers: { ...EVERYWHERE, 'impersonate-user': 'root' } });
    await tell({ token: valid, headers: { ...EVERYWHERE, 'audit-id': `${canary('audit')} with a space` } });
    for (const respond of [echo, garble, reset, respondWith(403, '{}')]) {
      fleet.reviewer.respond = respond;
      await tell({ token: unknown() });
    }
    fleet.reviewer.respond = respondWith(201, { status: { authenticated: false, error: canary('error') } });
    await tell({ token: unknown() });
    fleet.reviewer.forget();
  }
  // What is no request at all, and ends where there is no exchange yet.
  const head = `GET ${PATH}?${QUERY} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${valid}\r\n`;
  for (const rest of [
    'Host: b\r\n\r\n',
    'nonsense\r\n\r\n',
    `Authorization: Bearer ${valid}\r\n\r\n`,
    'Content-Length: x\r\n\r\n',
  ]) {
    bodies.push(await askRaw(fleet.port, head + rest));
  }
  bodies.push(await askRaw(fleet.port, `${head}Upgrade: websocket\r\nConnection: Upgrade\r\n${rawOf(EVERYWHERE)}\r\n`));
  bodies.push((await askFrames(fleet.port, fieldsOf({ token: valid }, ['connection', canary('connection')]))).text);
  bodies.push((await askFrames(fleet.port, fieldsOf({ token: valid }, ['X-Upper', canary('upper')]))).text);

  await eventually(() => fleet.audit().includes('"code":413'));
  const metrics = await fleet.metrics();
  // What is searched is what was meant to be searched.
  expect(fleet.logs()).toContain('a connection was refused');
  expect(fleet.audit()).toContain('"user":"alice"');
  expect(metrics).toContain('authentication_attempts{result="success"}');
  expect(spans.join()).toContain('authenticate');
  expect(bodies.join()).toContain('"reason":"Unauthorized"');

  const written = { logs: fleet.logs(), audit: fleet.audit(), metrics, spans: spans.join('\n'), answers: bodies.join('\n') };
  for (const [what, text] of Object.entries(written)) {
    const found = text.split('\n').filter(line => CANARY.test(line) || line.includes(SHARD_TOKEN));
    expect([what, found]).toEqual([what, []]);
  }

  // Behind, the secrets of headers are nobody's business either; a query and a body are what was asked.
  for (const server of [fleet.shard, fleet.service]) {
    const seen = [...new Set(server.everything.match(/canary-[a-z]+/g))];
    // A body comes in pieces.
    expect(seen.filter(place => !/^canary-(?:query|bo?d?y?)$/.test(place))).toEqual([]);
  }
});

test('nor when who reviews tokens breaks off, again and again', async () => {
  const gone = await startFleet();
  gone.reviewer.respond = reset;
  for (const protocol of protocols) {
    const { status, body } = await ask(gone.port, protocol, { token: canary(`gone-${protocol}`) });
    expect([status, CANARY.test(body)]).toEqual([503, false]);
  }
  expect(CANARY.test(gone.logs() + gone.audit())).toBe(false);
});

const rawOf = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
