import { once } from 'node:events';
import { createServer } from 'node:net';

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
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
