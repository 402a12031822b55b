/**
 * Row 16: one user's state is used for another. A transport, a cache or a pool that keeps who asked is right in every test with one user at
 * a time; kcp's own forwarding mixed up concurrent users until April 2026.
 */
import { afterAll, expect, test } from '@jest/globals';
import { openHttp2 } from '@kcp-vw/shared/listener/client.fixture.ts';
import { cleanUp } from '@kcp-vw/shared/listener/listener.fixture.ts';
import { ask, begin2, PATH, type Question } from './clients.fixture.ts';
import { ALLOWED_PROXY, requestHeaderCA, startFleet } from './fleet.fixture.ts';
import { identityOf } from './recording.fixture.ts';

const fleet = await startFleet();
afterAll(cleanUp);

/** Requests of many users on each of a few connections, and connections of one user each. */
test('a thousand users at once are answered each as himself', async () => {
  const kinds = { review: 450, proxied: 400, impersonated: 100, alone: 50 };
  const users = Object.entries(kinds).flatMap(([kind, count]) => Array.from({ length: count }, (_, i) => `${kind}-${i}`));
  for (const user of users)
    fleet.reviews.set(`${user}-token`, { authenticated: true, user: { username: user, groups: [`of-${user}`] } });
  // Everybody waits until all are here; then they are answered in another order than they came in.
  const waiting: (() => void)[] = [];
  fleet.shard.respond = (request, response) => {
    waiting.push(() => response.writeHead(200).end(JSON.stringify([request.url, ...identityOf(request)])));
    if (waiting.length % 50 === 0) for (const answer of waiting.splice(0).reverse()) answer();
  };

  const proxy = requestHeaderCA.issue({ commonName: ALLOWED_PROXY, usage: 'client' });
  const sessions = Array.from({ length: 4 }, () => openHttp2(fleet.port));
  const proxied = Array.from({ length: 4 }, () => openHttp2(fleet.port, { cert: proxy.certPem, key: proxy.keyPem }));
  const questions: Record<string, (user: string, i: number) => Promise<{ status: number; body: string }>> = {
    review: (user, i) => begin2(sessions[i % 4] as never, { ...of(user), token: `${user}-token` }).response,
    proxied: (user, i) =>
      begin2(proxied[i % 4] as never, { ...of(user), headers: { 'x-remote-user': user, 'x-remote-group': `of-${user}` } })
        .response,
    impersonated: (user, i) => {
      const headers = { 'impersonate-user': user, 'impersonate-group': `of-${user}` };
      return begin2(sessions[i % 4] as never, { ...of(user), token: 'masters-token', headers }).response;
    },
    alone: user => ask(fleet.port, '1.1', { ...of(user), token: `${user}-token` }),
  };
  const answers = await Promise.all(users.map((user, i) => questions[user.split('-')[0] as string]?.(user, i)));

  expect(answers.map(answer => [answer?.status, JSON.parse(answer?.body ?? '')])).toEqual(
    users.map(user => [
      200,
      [
        `/clusters/${user}${REST}`,
        'authorization: Bearer token-of-the-service-itself',
        ...[`impersonate-group: of-${user}`, 'impersonate-group: system:authenticated'].sort(),
        `impersonate-user: ${user}`,
      ],
    ]),
  );
  expect(fleet.shard.requests).toHaveLength(1_000);
}, 120_000);

const REST = PATH.slice('/services/mirror/clusters/root'.length);
const of = (user: string): Question => ({ path: `/services/mirror/clusters/${user}${REST}` });
