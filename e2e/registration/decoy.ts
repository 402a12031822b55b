import { once } from 'node:events';
import { createServer } from 'node:net';

/** Listens where a service was, and counts who comes. */
export interface Decoy {
  readonly connections: number;
  close(): void;
}

export async function startDecoy(port: number): Promise<Decoy> {
  let connections = 0;
  const server = createServer(socket => {
    connections++;
    socket.destroy();
  });
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
  return {
    get connections() {
      return connections;
    },
    close: () => server.close(),
  };
}
