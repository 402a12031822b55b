import { requireFor } from './flags-commands.ts';
import { optional, Values } from './flags-given.ts';
import { publicFaceOf } from './flags-public.ts';
import { registrationOf, shardAddressesOf, shardKubeconfigsOf } from './flags-registration.ts';
import { type Command, FLAGS, type Flag } from './flags-table.ts';
import { tlsChoices } from './flags-tls.ts';
import { parseValue, UsageError, type Value } from './flags-values.ts';
import { DEFAULT_LIMITS, type Options, SERVICES } from './options.ts';

export type { Command } from './flags-table.ts';
export { UsageError } from './flags-values.ts';

/** Flags in the order given, each with its text. A switch without a value is `true`. */
type Given = readonly { readonly flag: Flag; readonly text: string }[];

export interface Parsed {
  readonly options: Options;
  /** Sentences for the log: flags given under an old name, and flags given that have no effect. */
  readonly notices: readonly string[];
}

/** The complete configuration, or a UsageError of one sentence. Flags follow pflag's grammar; a repeated list grows, else the last counts. */
export const parseFlags = (argv: readonly string[]): Options => parseArguments(argv).options;

export function parseArguments(argv: readonly string[], command: Command = 'up'): Parsed {
  const given = readFlags(argv);
  for (const { flag } of given) {
    if (flag.commands?.includes(command) !== false) continue;
    throw new UsageError(`--${flag.name} does nothing for kcp-vw ${command}: it belongs to ${flag.commands.join(' and ')}`);
  }
  const values = new Map<string, Value>();
  for (const flag of FLAGS.values()) {
    if (flag.default !== undefined) values.set(flag.name, parseValue(flag.type, flag.default, `--${flag.name}`));
  }
  const grown = new Set<string>();
  for (const { flag, text } of given) {
    const name = flag.aliasOf ?? flag.name;
    const value = parseValue(flag.type, text, `--${flag.name}`);
    if (flag.accepts && !flag.accepts.includes(String(value))) {
      throw new UsageError(`--${flag.name}=${text} is not supported: ${flag.refusal}`);
    }
    const before = grown.has(name) ? values.get(name) : undefined;
    values.set(name, Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value);
    grown.add(name);
  }
  const options = complete(new Values(values), command);
  requireFor(command, options);
  return { options, notices: noticesOf(given) };
}

/** True when `--help` or `-h` is among the flags (and not the value of one). */
export function asksForHelp(argv: readonly string[]): boolean {
  return argv.some((argument, i) => ['--help', '-h', '--help=true'].includes(argument) && !expectsValue(argv[i - 1]));
}

function expectsValue(argument: string | undefined): boolean {
  const flag = argument?.startsWith('--') ? FLAGS.get(argument.slice(2)) : undefined;
  return argument === '-v' || (flag !== undefined && flag.type !== 'bool');
}

function readFlags(argv: readonly string[]): Given {
  const given: { flag: Flag; text: string }[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string;
    const { flag, text } = readFlag(argument);
    if (text !== undefined) given.push({ flag, text });
    else if (flag.type === 'bool') given.push({ flag, text: 'true' });
    else {
      const next = argv[++i];
      if (next === undefined || startsFlag(next)) throw new UsageError(`${argument} needs a value: ${argument}=…`);
      given.push({ flag, text: next });
    }
  }
  return given;
}

/** pflag would take a following flag as the value; nobody means that. */
const startsFlag = (argument: string): boolean =>
  argument.startsWith('--') && FLAGS.has(argument.slice(2).split('=', 1)[0] as string);

function readFlag(argument: string): { flag: Flag; text: string | undefined } {
  const long = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
  const verbosity = /^-v(?:=?(.+))?$/s.exec(argument);
  if (!long && !verbosity) {
    throw new UsageError(`there is no argument ${JSON.stringify(argument)}: only flags are taken (--help lists them)`);
  }
  const name = long?.[1] ?? 'v';
  const flag = FLAGS.get(name);
  if (!flag) throw new UsageError(`there is no flag --${name}${suggestion(name)} (--help lists them)`);
  return { flag, text: long ? long[2] : verbosity?.[1] };
}

function suggestion(name: string): string {
  const [nearest] = [...FLAGS.keys()]
    .map(known => ({ known, distance: editDistance(name, known) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest && nearest.distance <= Math.max(2, name.length / 4) ? `, is --${nearest.known} meant?` : '';
}

/** Levenshtein's: letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

function noticesOf(given: Given): string[] {
  const flags = [...new Set(given.map(({ flag }) => flag))];
  return [
    ...flags.filter(flag => flag.aliasOf).map(flag => `--${flag.name} is an old name: use --${flag.aliasOf}`),
    ...flags.filter(flag => flag.effect === 'none').map(flag => `--${flag.name} has no effect: ${flag.meaning}`),
  ];
}

function complete(values: Values, command: Command): Options {
  const opsPort = values.get('port', 'ops-port');
  return {
    // The front proxy needs a control plane for reviews only, and is better off without the credentials of masters.
    kubeconfig: command === 'front-proxy' ? (values.get('file', 'kubeconfig') ?? '') : values.require('file', 'kubeconfig'),
    context: values.get('text', 'context') ?? '',
    ...optional('authenticationKubeconfig', values.get('file', 'authentication-kubeconfig')),
    ...optional('externalLogicalClusterAdminKubeconfig', values.get('file', 'external-logical-cluster-admin-kubeconfig')),
    ...optional('cacheKubeconfig', values.get('file', 'cache-kubeconfig')),
    ...optional('clientCAFile', values.get('file', 'client-ca-file')),
    requestHeader: {
      ...optional('clientCAFile', values.get('file', 'requestheader-client-ca-file')),
      allowedNames: values.require('list', 'requestheader-allowed-names'),
      usernameHeaders: values.require('list', 'requestheader-username-headers'),
      groupHeaders: values.require('list', 'requestheader-group-headers'),
      uidHeaders: values.require('list', 'requestheader-uid-headers'),
      extraHeaderPrefixes: values.require('list', 'requestheader-extra-headers-prefix'),
    },
    tls: {
      certFile: values.require('file', 'tls-cert-file'),
      keyFile: values.require('file', 'tls-private-key-file'),
      http2: !values.require('bool', 'disable-http2-serving'),
      ...tlsChoices(
        values.get('text', 'tls-min-version'),
        values.get('list', 'tls-cipher-suites') ?? [],
        values.get('list', 'tls-curve-preferences') ?? [],
      ),
    },
    bindAddress: values.require('ip', 'bind-address'),
    securePort: values.require('port', 'secure-port'),
    topology: values.oneOf('topology', ['fleet', 'single']),
    services: chosenServices(values.get('list', 'services'), values.require('list', 'views')),
    ...optional('syncerKubeconfig', values.get('file', 'syncer-kubeconfig')),
    impersonateReads: values.require('bool', 'impersonate-reads'),
    workspaceAccess: values.oneOf('workspace-access', ['rbac', 'reviews']),
    authenticationTokenTTL: values.require('duration', 'authentication-token-webhook-cache-ttl') / 1000,
    authorizationAllowTTL: values.require('seconds', 'authorization-allow-ttl') / 1000,
    authorizationDenyTTL: values.require('seconds', 'authorization-deny-ttl') / 1000,
    limits: {
      requestBody: values.require('bytes', 'max-request-body-bytes'),
      requestHeaders: values.require('bytes', 'max-request-header-bytes'),
      headersTimeout: values.require('seconds', 'request-header-timeout'),
      http2Streams: values.require('count', 'http2-max-streams-per-connection') || DEFAULT_LIMITS.http2Streams,
      drain: values.require('seconds', 'drain-timeout'),
      shutdownDelay: values.require('seconds', 'shutdown-delay-duration'),
      watchStreams: values.require('count', 'max-watches'),
    },
    audit: {
      ...optional('path', values.get('text', 'audit-log-path')),
      maxSizeMB: values.require('count', 'audit-log-maxsize'),
      maxBackups: values.require('count', 'audit-log-maxbackup'),
      maxAgeDays: values.require('count', 'audit-log-maxage'),
    },
    ...(opsPort !== undefined && { opsPort }),
    opsBindAddress: values.require('ip', 'ops-bind-address'),
    ...optional('addressesFile', values.get('file', 'addresses')),
    serviceAccess: {
      ...optional('caFile', values.get('file', 'services-ca-file')),
      ...optional('certFile', values.get('file', 'proxy-client-cert-file')),
      ...optional('keyFile', values.get('file', 'proxy-client-key-file')),
    },
    ...optional('shard', values.get('text', 'shard')),
    furtherShards: shardKubeconfigsOf(values),
    shardAddresses: shardAddressesOf(values),
    registration: registrationOf(values),
    face: values.oneOf('face', ['services', 'public']),
    publicFace: publicFaceOf(values),
    shardClientNames: values.require('list', 'shard-client-names'),
    clientLimits: {
      requestsInFlight: values.require('count', 'max-requests-in-flight-per-client'),
      watches: values.require('count', 'max-watches-per-client'),
      requestsPerSecond: values.require('count', 'requests-per-second-per-client'),
      burst: values.require('count', 'request-burst-per-client'),
    },
    verbosity: values.require('count', 'v'),
  };
}

/** Sorted names of the services that are asked for: those named, else kcp's, and those with the further views. */
function chosenServices(named: readonly string[] | undefined, views: readonly string[]): string[] {
  const all = Object.entries(SERVICES);
  for (const name of named ?? []) {
    if (!Object.hasOwn(SERVICES, name)) {
      throw new UsageError(`--services takes ${Object.keys(SERVICES).join(', ')}, not ${JSON.stringify(name)}`);
    }
  }
  const withViews = views.map(view => {
    const service = all.find(([, candidate]) => candidate.views.includes(view));
    if (!service) {
      const known = all.flatMap(([, candidate]) => candidate.views);
      throw new UsageError(`--views takes ${known.join(', ')}, not ${JSON.stringify(view)}`);
    }
    return service[0];
  });
  const base = named ?? all.filter(([, { byDefault }]) => byDefault).map(([name]) => name);
  return [...new Set([...base, ...withViews])].sort();
}
