import { once } from 'node:events';
import type { Server } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express from 'express';
import type { Registry } from 'prom-client';
import type { OpsAddress } from '../config/flags-service.ts';
import type { Health } from './health.ts';

export interface OpsOptions {
  readonly address: OpsAddress;
  readonly health: Health;
  readonly registry: Registry;
  /** What `/debug/streams` shows: the open streams of this process, without credentials. */
  readonly streams?: () => unknown;
}

export interface Ops {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: OpsAddress;
  close(): Promise<void>;
}

/**
 * Health, metrics and debugging of one process, for those on this host only: on the loopback address or on a Unix socket that nobody
 * else can open. On another address there are no reasons and no debugging, which may cost the process time. Rejects when the address is taken.
 */
export async function startOps({ address, health, registry, streams }: OpsOptions): Promise<Ops> {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);

  app.get(['/livez', '/readyz', '/healthz', '/:endpoint/:check'], (request, response, next) => {
    const query = new URL(request.url, 'http://ops').searchParams;
    const answer = health.respond(request.path, query, !isOpen(address));
    if (!answer) return next();
    response.status(answer.code).type('text/plain').set('x-content-type-options', 'nosniff').send(answer.body);
  });
  app.get('/metrics', async (_request, response) => {
    response.set('content-type', registry.contentType).send(await registry.metrics());
  });
  if (isOpen(address)) return listen(app, address);
  app.get('/debug/process', (request, response) => {
    if (request.query.collect !== undefined) collectGarbage();
    response.json({ pid: process.pid, uptimeSeconds: process.uptime(), memory: process.memoryUsage() });
  });
  if (streams) {
    app.get('/debug/streams', (_request, response) => void response.json(streams()));
  }

  return listen(app, address);
}

const LOOPBACK = '127.0.0.1';

const isOpen = (address: OpsAddress): boolean =>
  'port' in address && address.host !== undefined && address.host !== '::1' && !/^127\.\d+\.\d+\.\d+$/.test(address.host);

async function listen(app: express.Express, address: OpsAddress): Promise<Ops> {
  const server = 'port' in address ? app.listen(address.port, address.host ?? LOOPBACK) : listenPrivately(app, address.path);
  await once(server, 'listening');
  const bound = server.address();
  return {
    address: typeof bound === 'object' && bound !== null ? { ...address, port: bound.port } : address,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** So that memory can be compared: what V8 has not collected yet is no leak. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** The socket appears with mode 0600: its file is made within `listen`, so there is no moment at which others could connect. */
function listenPrivately(app: express.Express, path: string): Server {
  const before = process.umask(0o177);
  try {
    return app.listen(path);
  } finally {
    process.umask(before);
  }
}
