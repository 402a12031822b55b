import { parseArgs } from 'node:util';
import type { Mapping } from './kcp/front-proxy-mappings.ts';
import type { StartOptions } from './start.ts';

export const HELP = `In-memory kcp shards with their front proxy, for development and tests. All state is lost when they end.

  --folder=<path>                 certificates and kubeconfigs; default: a new one, removed at the end
  --shards=<number>               default 1
  --shard-port=<port>             of the root shard, the others have the following ones; default 6444
  --front-proxy-port=<port>       default 6443
  --mapping=<path>=<url>          where the front proxy leads to another server than the shards, '{cluster}' in the path stands for
                                  any one that exists; repeatable
  --second-front-proxy-port=<port>, --second-mapping=<path>=<url>
                                  another front proxy, with mappings of its own
  --virtual-workspace-url=<url>   of each shard in its order; default https://<host>:7444 and the following ports
  --cache-delay=<ms>              how long it takes until the other shards know; default 20
  --bind-address=<ip>             the address to listen on; default 127.0.0.1
  --host=<name>                   in the URLs of kubeconfigs and objects, and in the serving certificates; default 127.0.0.1
  --san=<name>                    a further DNS name or address for the serving certificates; may be given several times
  --make-folder-only              makes what is missing in the folder and ends
`;

export interface Flags extends Omit<StartOptions, 'folder' | 'onError'> {
  /** Undefined: one that is removed again. */
  readonly folder: string | undefined;
  readonly makeFolderOnly: boolean;
  readonly help: boolean;
}

const LOOPBACK = '127.0.0.1';
const VIRTUAL_WORKSPACES_PORT = 7444;

/** Throws for a flag that does not exist and for a number that is none. */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      folder: { type: 'string' },
      shards: { type: 'string', default: '1' },
      'shard-port': { type: 'string', default: '6444' },
      'front-proxy-port': { type: 'string', default: '6443' },
      mapping: { type: 'string', multiple: true, default: [] },
      'second-front-proxy-port': { type: 'string' },
      'second-mapping': { type: 'string', multiple: true, default: [] },
      'virtual-workspace-url': { type: 'string', multiple: true, default: [] },
      'cache-delay': { type: 'string' },
      'bind-address': { type: 'string', default: LOOPBACK },
      host: { type: 'string', default: LOOPBACK },
      san: { type: 'string', multiple: true, default: [] },
      'make-folder-only': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { host } = values;
  const firstPort = numberIn('shard-port', values['shard-port']);
  const further = Array.from({ length: numberIn('shards', values.shards) - 1 }, (_, i) => firstPort + i + 1);
  return {
    folder: values.folder,
    host,
    sans: values.san,
    bindAddress: values['bind-address'],
    shardPorts: [firstPort, ...further],
    frontProxyPort: numberIn('front-proxy-port', values['front-proxy-port']),
    mappings: values.mapping.map(mappingIn),
    ...secondFrontProxy(values['second-front-proxy-port'], values['second-mapping']),
    virtualWorkspaceURLs: viewsOf(values['virtual-workspace-url'], host, 1 + further.length),
    ...(values['cache-delay'] !== undefined && { cacheDelay: numberIn('cache-delay', values['cache-delay']) }),
    makeFolderOnly: values['make-folder-only'],
    help: values.help,
  };
}

/** Those given; where they are not enough, each further shard has the port after that of the one before. */
function viewsOf(given: readonly string[], host: string, count: number): readonly URL[] {
  const urls = given.map(url => new URL(url));
  while (urls.length < count) {
    const next = new URL(urls.at(-1) ?? `https://${host}:${VIRTUAL_WORKSPACES_PORT - 1}`);
    next.port = String(Number(next.port) + 1);
    urls.push(next);
  }
  return urls;
}

function secondFrontProxy(port: string | undefined, mappings: readonly string[]): Pick<StartOptions, 'secondFrontProxy'> {
  if (port === undefined && mappings.length > 0) throw new Error('--second-mapping needs --second-front-proxy-port');
  if (port === undefined) return {};
  return { secondFrontProxy: { port: numberIn('second-front-proxy-port', port), mappings: mappings.map(mappingIn) } };
}

function mappingIn(text: string): Mapping {
  const equals = text.indexOf('=');
  const [path, url] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
  if (!path.startsWith('/') || !URL.canParse(url)) throw new Error(`${text} is not a mapping: </path>=<url>`);
  return { path, backend: new URL(url) };
}

function numberIn(flag: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || (flag === 'shards' && number < 1)) {
    throw new Error(`--${flag}=${text} is not a number that can be used`);
  }
  return number;
}
