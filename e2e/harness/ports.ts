import { once } from 'node:events';
import { createServer } from 'node:net';
import { OPERATOR_FRONT_PROXY } from './operator.ts';
import { TRANSPARENT_PORT } from './transparent.ts';

/** What kcp's test server listens on whatever the number of its shards; it cannot be told other ports. */
const SHARED_PORTS = new Map([
  [6443, 'front proxy'],
  [OPERATOR_FRONT_PROXY.port, 'front proxy with the mapping of kcp-operator'],
  [TRANSPARENT_PORT, 'front proxy that leads to the view of workspaces'],
  [8010, "cache server's etcd"],
  [8011, "cache server's etcd, peers"],
  [8012, 'cache server'],
]);

/** And for the shard of a number, from 0. */
const portsOfShard = (shard: number): ReadonlyMap<number, string> =>
  new Map([
    [6444 + shard, `shard ${shard}`],
    [7444 + shard, `virtual workspaces of shard ${shard}`],
    [2379 + 2 * shard, `etcd of shard ${shard}`],
    [2380 + 2 * shard, `etcd of shard ${shard}, peers`],
  ]);

/** Throws, naming them, when somebody listens on a port that kcp's test server needs: it would wait for the wrong server. */
export async function requireFreePorts(shards = 1): Promise<void> {
  const needed = [...SHARED_PORTS, ...Array.from({ length: shards }, (_, shard) => [...portsOfShard(shard)]).flat()];
  const taken: string[] = [];
  for (const [port, use] of needed) {
    if (!(await isFree(port))) taken.push(`${port} (${use})`);
  }
  if (taken.length > 0)
    throw new Error(`something already listens on 127.0.0.1, ports ${taken.join(', ')}; end it before this run`);
}

/** Below the range that the kernel gives to clients, so that nobody takes one of them before its server does. */
const FIRST = 17_000;
const LAST = 29_000;

/** A test may start a second instance so many ports beside the first. */
const SECOND_INSTANCE = 100;

/** Free ports in a row on the loopback address, other ones for each run. Throws when there are none. */
export async function freePorts(count: number): Promise<readonly number[]> {
  // Runs that begin together look in different places.
  const start = FIRST + (process.pid % 50) * 2 * SECOND_INSTANCE;
  for (let first = start; first + SECOND_INSTANCE + count < LAST; first += 2 * SECOND_INSTANCE) {
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all([...ports, ...ports.map(port => port + SECOND_INSTANCE)].map(isFree));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`there are no ${count} free ports in a row between ${start} and ${LAST}`);
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return true;
  } catch (error) {
    // Of Node's, and no instance of the Error of the context that a test runs in.
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
