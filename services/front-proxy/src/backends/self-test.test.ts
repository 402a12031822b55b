/** The self-test over real sockets: front proxy, service and shard each read what is on the wire. */

import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { callerFromFrontProxy, createRequestHeaderReader } from '@kcp-vw/shared/authn/request-headers.ts';
import { toUserInfo } from '@kcp-vw/shared/authn/user-info.ts';
import { DEFAULT_LIMITS } from '@kcp-vw/shared/config/options.ts';
import { createListener } from '@kcp-vw/shared/listener/listener.ts';
import { fakeUpstream } from '@kcp-vw/shared/testing/fake-upstream.ts';
import { closeAll, eventually, httpServer, upstreamTo } from '@kcp-vw/shared/upstream/upstream.fixture.ts';
import { answerSelfTest } from '@kcp-vw/shared/view/self-test.ts';
import { PROBE, REVIEW_PATH } from '@kcp-vw/shared/view/self-test-probe.ts';
import { followSelfTest, selfTest } from './self-test.ts';

let folder: string;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'self-test-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await closeAll();
  rmSync(folder, { recursive: true });
});

/** Reads impersonation as an API server does. */
const impersonated = createRequestHeaderReader({
  allowedNames: [],
  usernameHeaders: ['Impersonate-User'],
  groupHeaders: ['Impersonate-Group'],
  uidHeaders: ['Impersonate-Uid'],
  extraHeaderPrefixes: ['Impersonate-Extra-'],
});

interface Faults {
  /** What the service gets to see of the headers that were sent. */
  readonly atService?: (headers: readonly string[]) => readonly string[];
  readonly atShard?: (headers: readonly string[]) => readonly string[];
  readonly shardStatus?: number;
}

const unchanged = (headers: readonly string[]): readonly string[] => headers;

/** A service behind a Unix socket, and a shard behind it. */
async function start({ atService = unchanged, atShard = unchanged, shardStatus = 201 }: Faults = {}) {
  const shardUrl = await httpServer((request: IncomingMessage, response) => {
    const user = impersonated(atShard(request.rawHeaders));
    const found = request.url === REVIEW_PATH && user !== undefined;
    response.writeHead(found ? shardStatus : 500).end(JSON.stringify({ status: { userInfo: user && toUserInfo(user) } }));
  });
  const shard = upstreamTo(shardUrl);
  const socketPath = join(folder, 'service.sock');
  const listener = await createListener({
    address: { socketPath },
    limits: DEFAULT_LIMITS,
    handler: exchange => answerSelfTest(exchange, callerFromFrontProxy(atService(exchange.headers)), shard),
    onError: error => closers.push(() => Promise.reject(error)),
    onClientError: error => closers.push(() => Promise.reject(error)),
  });
  closers.push(() => listener.drain());
  const warnings: object[] = [];
  const log = { warn: (object: object) => void warnings.push(object) };
  return { upstream: upstreamTo({ socketPath }), warnings, log };
}

const without = (name: string) => (headers: readonly string[]) =>
  headers.filter((_, i) => !headers[i - (i % 2)]?.toLowerCase().startsWith(name));
const withHeader = (name: string, value: string) => (headers: readonly string[]) => [...headers, name, value];

describe('the self-test', () => {
  test('passes when the service and its shard see who was sent', async () => {
    const { upstream, log, warnings } = await start();
    expect([await selfTest(upstream, log), warnings]).toEqual([undefined, []]);
  });

  // Each of these once made users of a cluster into others: headers that a hop did not pass on, or added to.
  test.each<[string, Faults, string]>([
    ['the extra', { atService: without('x-remote-extra-') }, 'callers do not arrive there as who they are: of the extra'],
    ['the UID', { atService: without('x-remote-uid') }, 'the UID is ""'],
    ['the groups', { atService: without('x-remote-group') }, 'of the groups "system:masters" is missing'],
    [
      'its one logical cluster, to which another is added',
      { atService: withHeader('X-Remote-Extra-Authentication.kcp.io%2fcluster-name', 'other') },
      '"other" has been added',
    ],
    [
      'how he was authenticated',
      { atService: without('x-kcp-vw-authenticated-by') },
      'it does not know how callers were authenticated',
    ],
    ['the extra, on the way to the shard', { atShard: without('impersonate-extra-') }, 'callers do not arrive at its shard'],
    ['a group, on the way to the shard', { atShard: withHeader('Impersonate-Group', 'x') }, 'of the groups "x" has been added'],
  ])('fails when the caller loses %s', async (_, faults, sentence) => {
    const { upstream, log } = await start(faults);
    expect(await selfTest(upstream, log)).toEqual({ reason: expect.stringContaining(sentence), isUntrusted: true });
  });

  test.each([403, 404])('passes with a word in the log when the shard answers %i and so says nothing', async shardStatus => {
    const { upstream, log, warnings } = await start({ shardStatus });
    expect(await selfTest(upstream, log)).toBeUndefined();
    expect(warnings).toEqual([{ service: upstream.name, status: shardStatus }]);
  });

  test('fails when the shard is broken, and when the service is not there', async () => {
    const { upstream, log } = await start({ shardStatus: 500 });
    expect(await selfTest(upstream, log)).toEqual({ reason: 'it answered the self-test with 503', isUntrusted: false });
    const nobody = upstreamTo({ socketPath: join(folder, 'nobody.sock') });
    const silence = { reason: expect.stringContaining('it did not answer the self-test'), isUntrusted: false };
    expect(await selfTest(nobody, log)).toEqual(silence);
  });

  test.each([[{}], [null], [[]], [{ received: { username: 7 } }], [{ received: toUserInfo(PROBE) }]])(
    'fails on the answer %j',
    async body => {
      const upstream = fakeUpstream(() => ({ body: JSON.stringify(body) }));
      expect(await selfTest(upstream, { warn: () => undefined })).toMatchObject({ reason: expect.any(String) });
    },
  );
});

describe('a process under test', () => {
  test('has not passed before its test has ended, and is tested until it passes', async () => {
    const { upstream, log, warnings } = await start();
    let results = 0;
    const answers = [
      { status: 404, body: {} },
      { status: 404, body: {} },
    ];
    const flaky = fakeUpstream(() => answers.shift() ?? { status: 404, body: {} });
    const dispatch: typeof upstream.dispatch = (request, handler) =>
      (answers.length > 0 ? flaky : upstream).dispatch(request, handler);
    const test = followSelfTest({ ...upstream, dispatch }, { log, onResult: () => results++ });
    closers.push(() => test.stop());
    expect(test.failure()?.reason).toBe('its self-test has not ended yet');
    await eventually(() => test.failure()?.reason === 'it answered the self-test with 404');
    await eventually(() => test.failure() === undefined);
    expect([results, warnings]).toEqual([3, [{ service: upstream.name, reason: 'it answered the self-test with 404' }]]);
  });

  test('is left alone when the test is not wanted any more', async () => {
    const upstream = fakeUpstream(() => ({ status: 404, body: {} }));
    const test = followSelfTest(upstream, { log: { warn: () => undefined } });
    await eventually(() => test.failure()?.reason === 'it answered the self-test with 404');
    test.stop();
    const asked = upstream.requests.length;
    await new Promise(resolve => setTimeout(resolve, 700));
    expect(upstream.requests).toHaveLength(asked);
  });
});
