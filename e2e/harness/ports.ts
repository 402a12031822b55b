import { once } from 'node:events';
import { createServer } from 'node:net';

/** Every port that one shard with its surroundings listens on; kcp's test server cannot be told others. */
const PORTS = new Map([
  [6443, 'front proxy'],
  [6444, 'shard'],
  [7444, 'virtual workspaces'],
  [8010, "cache server's etcd"],
  [8011, "cache server's etcd, peers"],
  [8012, 'cache server'],
  [2379, "shard's etcd"],
  [2380, "shard's etcd, peers"],
]);

/** Throws, naming them, when somebody listens on a port that kcp's test server needs: it would wait for the wrong server. */
export async function requireFreePorts(): Promise<void> {
  const taken: string[] = [];
  for (const [port, use] of PORTS) {
    if (!(await isFree(port))) taken.push(`${port} (${use})`);
  }
  if (taken.length > 0)
    throw new Error(`something already listens on 127.0.0.1, ports ${taken.join(', ')}; end it before this run`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
