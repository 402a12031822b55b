import { once } from 'node:events';
import { createSecureServer } from 'node:http2';

/** Stands where a service was, with the same certificate, and remembers what it is asked. */
export interface Decoy {
  /** Targets of requests that somebody made; questions about its health, which tell nothing of anybody, left out. */
  readonly requests: readonly string[];
  close(): void;
}

export async function startDecoy(port: number, pair: { readonly cert: string; readonly key: string }): Promise<Decoy> {
  const requests: string[] = [];
  const server = createSecureServer({ ...pair, allowHTTP1: true }, ({ url }, response) => {
    if (!url.startsWith('/readyz') && url !== '/self-test') requests.push(url);
    response.writeHead(503).end();
  });
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
  return { requests, close: () => server.close() };
}
