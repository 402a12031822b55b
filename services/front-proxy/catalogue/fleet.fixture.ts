/**
 * The whole of it, as it runs: client → front proxy → service → shard. All but the shard and who reviews tokens is real, started by the
 * functions that the processes are started by. This is the only file of the catalogue that knows them.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { trustEveryone } from '@kcp-vw/shared/authn/front-proxy-peer.ts';
import { ANONYMOUS } from '@kcp-vw/shared/authn/identity.ts';
import { parseArguments } from '@kcp-vw/shared/config/flags.ts';
import type { Limits } from '@kcp-vw/shared/config/options.ts';
import {
  clientCA,
  onCleanUp,
  requestHeaderCA,
  serverCA,
  servingPair,
  temporaryFolder,
  writeTlsFiles,
} from '@kcp-vw/shared/listener/listener.fixture.ts';
import type { ProcessHooks } from '@kcp-vw/shared/observe/lifeline.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import { runServiceAlone } from '@kcp-vw/shared/view/service-alone.ts';
import { serveViews } from '@kcp-vw/shared/view/service-server.ts';
import { allow, deny, forward, type View } from '@kcp-vw/shared/view/view.ts';
import { runFrontProxy } from '../src/process.ts';
import { RecordingServer, type Respond, respondWith } from './recording.fixture.ts';

export { clientCA, requestHeaderCA, serverCA, servingPair };

/** What the services prove themselves to the shard with. */
export const SHARD_TOKEN = 'token-of-the-service-itself';
/** Common name of the certificate that may speak for others at the front proxy, and of its own at services. */
export const ALLOWED_PROXY = 'an-allowed-proxy';
export const FRONT_PROXY = 'front-proxy';

/** Sends everybody's requests on as theirs, except nobody's. */
const mirror: View = {
  name: 'mirror',
  path: '/clusters/:cluster',
  apis: () => undefined,
  authorize: ({ caller }) => (caller.name === ANONYMOUS ? deny('somebody has to ask') : allow('somebody asks')),
  answer: ({ caller }) => forward({ as: caller, because: 'the shard decides' }),
};

export interface FleetOptions {
  /** Further flags of the front proxy. */
  readonly flags?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** How the front proxy reaches the real service. */
  readonly hop?: 'socket' | 'tls';
  /** Certificate authorities that the service believes of its shard; absent: the right one. */
  readonly shardCA?: string;
}

export interface Fleet {
  readonly port: number;
  readonly folder: string;
  /** Behind the view `mirror`. */
  readonly shard: RecordingServer;
  /** In the place of a service: the view `recorded`. */
  readonly service: RecordingServer;
  readonly reviewer: RecordingServer;
  /** Token → `status` of its TokenReview. */
  readonly reviews: Map<string, unknown>;
  /** Where the real service is: for requests beside the front proxy. */
  readonly serviceAddress: string;
  readonly frontOps: string;
  readonly serviceOps: string;
  /** Everything that both processes have logged. */
  logs(): string;
  /** Lines are written a moment after their request has ended. */
  audit(): string;
  /** What `/metrics` of both processes says. */
  metrics(): Promise<string>;
  /** Changes the file that the front proxy reads the addresses in; a view without any is not in it. */
  writeViews(views: Readonly<Record<string, readonly object[] | undefined>>): void;
  forget(): void;
}

const user = (username: string, groups: readonly string[] = []): object => ({ authenticated: true, user: { username, groups } });

/** Runs until `cleanUp` of the listener's fixture. */
export async function startFleet({ flags = [], limits = {}, hop = 'socket', shardCA }: FleetOptions = {}): Promise<Fleet> {
  const folder = temporaryFolder();
  const file = (name: string, content = ''): string => {
    if (content !== '') {
      writeFileSync(join(folder, `${name}.new`), content);
      renameSync(join(folder, `${name}.new`), join(folder, name));
    }
    return join(folder, name);
  };
  const pair = servingPair();
  const tls = writeTlsFiles(folder, pair);
  const reviews = new Map<string, unknown>([
    ['alice-token', user('alice', ['dev'])],
    ['bob-token', user('bob')],
    ['masters-token', user('root-of-all', ['system:masters'])],
  ]);
  const shard = await RecordingServer.start({ pair });
  const service = await RecordingServer.start({ socketPath: file('recorded.sock') });
  const reviewer = await RecordingServer.start({ pair }, review(reviews));
  const lines: string[] = [];
  const logger = (name: string) => createLogger({ name, verbosity: 9, destination: { write: line => void lines.push(line) } });
  const given = (all: Readonly<Record<string, string>>): string[] =>
    Object.entries(all).map(([name, value]) => `--${name}=${value}`);
  const common = given({
    ...{ 'bind-address': '127.0.0.1', 'secure-port': '0', 'drain-timeout': '1s' },
    ...{ 'tls-cert-file': tls.certFile, 'tls-private-key-file': tls.keyFile, 'client-ca-file': tls.clientCAFile },
    'requestheader-client-ca-file': tls.requestHeaderCAFile,
  });

  const kubeconfig = file('shard.kubeconfig', kubeconfigOf(shard.url, SHARD_TOKEN, shardCA));
  const serviceFlags = [...common, ...given({ kubeconfig, 'requestheader-allowed-names': FRONT_PROXY })];
  const serviceOptions = parseArguments(serviceFlags, 'serve').options;
  const definition = { name: 'mirror-vw', start: async () => [mirror] };
  const serviceOps = file('service.ops.sock');
  const serviceAddress = await running(hooks =>
    hop === 'tls'
      ? runServiceAlone(definition, serviceOptions, logger('mirror-vw'), hooks)
      : serveViews(definition, {
          ...{ options: serviceOptions, log: logger('mirror-vw'), hooks, distrustOf: trustEveryone },
          ...{ address: { socketPath: file('mirror.sock') }, ops: { path: serviceOps } },
        }),
  );

  const views: Record<string, readonly object[] | undefined> = {
    mirror: [
      { service: 'mirror-vw', instance: '1', ...(hop === 'tls' ? urlOf(serviceAddress) : { socketPath: serviceAddress }) },
    ],
    recorded: [{ service: 'recorded-vw', instance: '1', socketPath: file('recorded.sock') }],
  };
  const writeViews = (): string => file('addresses.json', JSON.stringify({ views }));
  const own = requestHeaderCA.issue({ commonName: FRONT_PROXY, usage: 'client' });
  const frontOptions = parseArguments(
    [
      ...common,
      ...given({
        'authentication-kubeconfig': file('reviewer.kubeconfig', kubeconfigOf(reviewer.url, 'token-of-the-front-proxy')),
        addresses: writeViews(),
        'services-ca-file': file('services-ca.crt', serverCA.certPem),
        'proxy-client-cert-file': file('front.crt', own.certPem),
        'proxy-client-key-file': file('front.key', own.keyPem),
        'requestheader-allowed-names': ALLOWED_PROXY,
        'audit-log-path': file('audit.log'),
      }),
      ...flags,
    ],
    'front-proxy',
  ).options;
  const options = { ...frontOptions, limits: { ...frontOptions.limits, ...limits } };
  const frontOps = file('front.ops.sock');
  const address = await running(hooks =>
    runFrontProxy({ options, addresses: file('addresses.json'), ops: { path: frontOps }, log: logger('front-proxy'), hooks }),
  );

  // What comes later is asked by the tests: services have been tested by then.
  while (shardCA === undefined && (await askOps(frontOps, '/readyz')) !== 'ok')
    await new Promise(resolve => setTimeout(resolve, 10));
  for (const server of [shard, service, reviewer]) server.forget();

  return {
    port: Number(address.split(':').at(-1)),
    ...{ folder, shard, service, reviewer, reviews, serviceAddress, frontOps, serviceOps },
    logs: () => lines.join(''),
    audit: () => (existsSync(file('audit.log')) ? readFileSync(file('audit.log'), 'utf8') : ''),
    metrics: async () => (await Promise.all([frontOps, serviceOps].map(socket => askOps(socket, '/metrics')))).join('\n'),
    writeViews(changed) {
      Object.assign(views, changed);
      writeViews();
    },
    forget() {
      for (const server of [shard, service, reviewer]) server.forget();
    },
  };
}

/** One question to a server of operations, on its socket. */
export const askOps = (socketPath: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, response => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve(body));
    });
    sent.once('error', reject).end();
  });

export const urlOf = (address: string): { readonly url: string } => ({ url: `https://${address}` });

/** The address that a process listens at; it ends with the test. */
async function running(start: (hooks: ProcessHooks) => Promise<void>): Promise<string> {
  let address = '';
  await start({
    listening: told => {
      address = told;
    },
    ready: () => {},
    waiting: () => {},
    onTerminate: onCleanUp,
  });
  return address;
}

/** As an API server answers TokenReviews. */
function review(reviews: ReadonlyMap<string, unknown>): Respond {
  return (recorded, response) => {
    const { spec } = JSON.parse(recorded.body) as { spec: { token: string } };
    const status = reviews.get(spec.token) ?? { authenticated: false, error: 'nobody' };
    respondWith(201, { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec, status })(recorded, response);
  };
}

const kubeconfigOf = (server: string, token: string, ca = serverCA.certPem): string =>
  JSON.stringify({
    clusters: [{ name: 'it', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'it', user: { token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'current-context': 'it',
  });
