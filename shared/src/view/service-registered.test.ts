/** A service by itself that registers, over real sockets, with a registry that looks at it while it is told. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseArguments } from '../config/flags.ts';
import type { Logger } from '../observe/log.ts';
import { closeAll, eventually, rawServer } from '../upstream/upstream.fixture.ts';
import { askAsFrontProxy, fleet, type ServiceFiles, serviceFiles, toldRegistry } from './service-alone.fixture.ts';
import { runServiceAlone } from './service-alone.ts';
import { deny, type View } from './view.ts';

const view = (missing: () => string | undefined): View => ({
  name: 'notes',
  path: '/clusters/:cluster',
  apis: () => undefined,
  authorize: () => deny('nobody'),
  answer: () => {
    throw new Error('nobody is allowed');
  },
  ready: { notes: missing },
});

const files: ServiceFiles[] = [];
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  for (const made of files.splice(0)) made.remove();
  await closeAll();
});

interface Running {
  readonly port: number;
  readonly lines: readonly string[];
  readonly stop: () => Promise<void>;
}

async function start(
  registry: URL | string,
  further: readonly string[],
  missing = () => undefined as string | undefined,
): Promise<Running> {
  const made = serviceFiles(registry);
  files.push(made);
  const { options } = parseArguments([...made.flags, ...further], 'serve');
  const lines: string[] = [];
  const say = (first: unknown, message?: string): void => void lines.push(message ?? String(first));
  const log = { info: say, warn: say, error: say, debug: say } as unknown as Logger;
  let port = 0;
  let stop = async (): Promise<void> => undefined;
  await runServiceAlone({ name: 'a-vw', start: async () => [view(missing)] }, options, log, {
    listening: address => {
      port = Number(address.split(':').at(-1));
    },
    ready: () => undefined,
    waiting: () => undefined,
    onTerminate: drain => {
      let stopped: Promise<void> | undefined;
      stop = () => {
        stopped ??= drain();
        return stopped;
      };
      stops.push(stop);
    },
  });
  return { port, lines, stop };
}

const ADVERTISED = ['--advertised-url=https://notes:7443', '--instance=notes-1', '--shard=root'];

describe('a service with --advertised-url', () => {
  test('is registered as not ready while it starts, and as ready when it is', async () => {
    const registry = await toldRegistry();
    let missing: string | undefined = 'waiting for the shard';
    await start(registry.url, ADVERTISED, () => missing);
    await eventually(() => registry.told.length === 1);
    missing = undefined;
    await eventually(() => registry.told.length === 2);
    expect(registry.told).toEqual(['notes: not ready', 'notes: ready']);
    expect(registry.entry()).toEqual({
      instance: 'notes-1',
      url: 'https://notes:7443',
      shard: 'root',
      ready: true,
      ca: fleet.certPem,
    });
  });

  // A front proxy that still sends requests must find somebody there; one that is told late must not find a place that is somebody else's.
  test('takes requests until it is known that it will not, and is gone from the registry when it takes none', async () => {
    let port = 0;
    const seen: string[] = [];
    const registry = await toldRegistry(async what => {
      const answers =
        port !== 0 &&
        (await askAsFrontProxy(port, '/livez').then(
          () => true,
          () => false,
        ));
      seen.push(`${what}, ${answers ? 'serving' : 'silent'}`);
    });
    const running = await start(registry.url, ADVERTISED);
    port = running.port;
    await eventually(() => registry.told.length > 0);
    seen.length = 0;
    await running.stop();
    expect(seen).toEqual(['notes: not ready, serving', 'notes: no entry, silent', 'no lease, silent']);
  });

  test('is ready although it is not registered: requests may come by way of a file', async () => {
    const { port, lines } = await start('http://127.0.0.1:1', ADVERTISED);
    await eventually(() => lines.some(line => line.startsWith('the registry cannot be reached')));
    expect(await askAsFrontProxy(port, '/readyz')).toMatchObject({ status: 200 });
  });
});

describe('a service without --advertised-url', () => {
  test('says that it does not register', async () => {
    const registry = await toldRegistry();
    const { lines, stop } = await start(registry.url, []);
    expect(lines.filter(line => line.startsWith('not registered, for want of --advertised-url'))).toHaveLength(1);
    await stop();
    expect(registry.told).toEqual([]);
  });
});

test('A service counts requests by the names of its own views', async () => {
  const free = createServer();
  const opsPort = await rawServer(free);
  await closeAll();
  const { port } = await start('http://127.0.0.1:1', [`--ops-port=${opsPort}`]);
  await askAsFrontProxy(port, '/services/notes/clusters/root/api/v1/secrets');
  await askAsFrontProxy(port, '/services/none/clusters/root/api/v1/secrets');
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  expect(metrics).toMatch(/proxy_request_duration_seconds_count\{[^}]*view="notes"[^}]*\} 1\n/);
});
