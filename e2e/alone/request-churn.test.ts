/**
 * Requests of every kind, answered, refused and abandoned, must leave nothing behind in memory nor towards the shard. It runs alone, since
 * it looks at what the processes hold.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { atShard, certified, masters, target } from '../support/identities.ts';
import { initializing } from '../support/lifecycle.ts';
import { heapOf, processes, requestsInFlight } from '../support/operations.ts';
import { Scenario } from '../support/scenario.ts';
import { LOGICAL_CLUSTERS } from '../support/workspaces.ts';

const ROUNDS = 6;
const REQUESTS = 800;
const AT_A_TIME = 50;
const MEGABYTE = 1024 * 1024;
/** More than any buffer on the way, so that a client that leaves does so in the middle of it. */
const LARGE = 'x'.repeat(600_000);
/** Milliseconds after which a client leaves that has sent half of its body: the shard has the first of it by then. */
const MIDDLE = 20;

/** What a client asks, and when it leaves. Whatever status comes is an answer: none may cost anything later. */
interface Kind {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  /** Leaves with the first bytes of the answer, or in the middle of its own body. */
  readonly leaves?: boolean;
}

const json = { accept: 'application/json', 'content-type': 'application/json' };

async function ask(session: ClientHttp2Session, { method, path, body, leaves = false }: Kind): Promise<void> {
  const stream = session.request({ ':method': method, ':path': path, ...json }, { endStream: body === undefined });
  stream.on('error', () => undefined);
  const closed = new Promise(resolve => stream.once('close', resolve));
  const leave = (): void => stream.close(constants.NGHTTP2_CANCEL);
  if (body === undefined) {
    if (leaves) stream.once('data', leave);
  } else if (leaves) {
    stream.write(body.slice(0, body.length / 2));
    setTimeout(leave, MIDDLE);
  } else {
    stream.end(body);
  }
  stream.resume();
  await closed;
}

async function round(kinds: readonly Kind[]): Promise<void> {
  const { certificate: cert, key } = target.masters;
  const session = connect(target.virtualWorkspaceURL, { ca: target.servingAuthority, cert, key, maxSessionMemory: 200 });
  session.on('error', () => session.destroy());
  await once(session, 'connect');
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < REQUESTS) await ask(session, kinds[next++ % kinds.length] as Kind);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  session.destroy();
}

async function sum(of: (name: string) => Promise<number>): Promise<number> {
  return (await Promise.all(processes.map(of))).reduce((total, value) => total + value, 0);
}

const describeOurs = processes.length > 0 ? describe : describe.skip;

describeOurs(`${REQUESTS} requests, answered, refused and abandoned, ${ROUNDS} times`, () => {
  let kinds: Kind[];

  beforeAll(async () => {
    const scenario = await Scenario.create(initializing);
    const view = `/services/${initializing.view}/${scenario.name}`;
    const content = `${view}/clusters/${scenario.cluster}`;
    const configMaps = `${content}/api/v1/namespaces/churn/configmaps`;
    const shard = atShard(masters).at(`/clusters/${scenario.cluster}/api/v1/namespaces`);
    (await shard.post('', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'churn' } })).expect(201);
    const large = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'large' }, data: { large: LARGE } };
    (await shard.at('/churn/configmaps').post('', large)).expect(201);
    kinds = [
      { method: 'GET', path: `${configMaps}/large` },
      { method: 'GET', path: `${configMaps}/large`, leaves: true },
      { method: 'GET', path: `${configMaps}/nosuch` },
      { method: 'GET', path: `${view}/clusters/*${LOGICAL_CLUSTERS}` },
      { method: 'GET', path: `${view}/clusters/*/apis` },
      { method: 'POST', path: configMaps, body: JSON.stringify(large) },
      { method: 'POST', path: configMaps, body: JSON.stringify(large), leaves: true },
      { method: 'PUT', path: `${view}/clusters/${scenario.cluster}${LOGICAL_CLUSTERS}/cluster/status`, body: '{"kind":"x"}' },
      { method: 'GET', path: '/services/nosuchview/x' },
      { method: 'GET', path: `/services/${initializing.view}/..%2f/clusters/*/api` },
    ];
  });

  test(
    'leave nothing running and the heap as large as the first rounds have made it',
    async () => {
      const heap: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        await round(kinds);
        await eventually('requests are over', async () => expect(await sum(requestsInFlight)).toBe(0));
        heap.push((await sum(heapOf)) / MEGABYTE);
      }
      process.stdout.write(`after each round, MB of heap: ${heap.map(Math.round).join(' ')}\n`);
      const early = Math.max(...heap.slice(0, 3));
      expect(Math.max(...heap.slice(-3))).toBeLessThan(early * 1.1 + 5);
    },
    5 * 60_000,
  );

  // Identities are cached, and every caller is another one.
  test('and so do callers of whom each comes once', async () => {
    const before = (await sum(heapOf)) / MEGABYTE;
    for (let i = 0; i < 200; i++) {
      const { keyPair } = certified(`passer-by-${i}`);
      const session = connect(target.virtualWorkspaceURL, {
        ca: target.servingAuthority,
        cert: keyPair.certificate,
        key: keyPair.key,
      });
      session.on('error', () => session.destroy());
      await once(session, 'connect');
      await ask(session, kinds[3] as Kind);
      session.destroy();
    }
    await eventually('their connections are gone', async () => expect(await sum(requestsInFlight)).toBe(0));
    expect((await sum(heapOf)) / MEGABYTE).toBeLessThan(before * 1.1 + 5);
  });
});
