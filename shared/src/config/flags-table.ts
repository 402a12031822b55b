import type { ValueType } from './flags-values.ts';
import { DEFAULT_LIMITS } from './options.ts';

/**
 * One flag. A flag of kcp that we do without is accepted only where leaving it out cannot weaken anything or lose what somebody
 * relies on; where it could, only the values of `accepts` are taken and any other ends the start with the reason.
 */
export interface Flag {
  readonly name: string;
  readonly type: ValueType;
  readonly effect: 'used' | 'none';
  /** What it does; for a flag without effect, why none is needed. */
  readonly meaning: string;
  /** As it would be written on the command line. */
  readonly default?: string;
  /** Values other than these are refused, because of `refusal`. */
  readonly accepts?: readonly string[];
  readonly refusal?: string;
  /** The flag that this is an old name of. */
  readonly aliasOf?: string;
  /** The commands that it does something for; absent: all. Others refuse it, since somebody relies on what it does. */
  readonly commands?: readonly Command[];
}

/** What flags are given to: everything on one host, one service by itself, the front proxy by itself. */
export type Command = 'up' | 'serve' | 'front-proxy';

const used = (name: string, type: ValueType, meaning: string, fallback?: string): Flag => ({
  name,
  type,
  effect: 'used',
  meaning,
  ...(fallback !== undefined && { default: fallback }),
});
const unused = (name: string, type: ValueType, meaning: string): Flag => ({ name, type, effect: 'none', meaning });
const only = (commands: readonly Command[], ...flags: readonly Flag[]): Flag[] => flags.map(flag => ({ ...flag, commands }));
const limited = (flag: Flag, accepts: readonly string[], refusal: string): Flag => ({ ...flag, accepts, refusal });

const seconds = (milliseconds: number): string => `${milliseconds / 1000}s`;

const BATCH = 'lines are always buffered and written in batches';
const EVENT = 'a line holds no request or response, so nothing needs truncating';
const NO_WEBHOOK = 'there is no audit webhook';
const STREAM = 'all log lines are JSON on standard error';

const webhook = (name: string, type: ValueType): Flag => unused(`audit-webhook-${name}`, type, NO_WEBHOOK);

/** Where views are served, and where callers are authenticated. */
const VIEWS: readonly Command[] = ['up', 'serve'];
const CALLERS: readonly Command[] = ['up', 'front-proxy'];

/** The flags of kcp's `virtual-workspaces` (v0.32.3), in the sections of `--help`. */
const KCP_FLAGS: Readonly<Record<string, readonly Flag[]>> = {
  'The control plane': [
    used('kubeconfig', 'file', 'the local shard, with the credentials of this server (required)'),
    used('context', 'text', 'context of --kubeconfig; its current one if empty', ''),
    ...only(
      VIEWS,
      used('external-logical-cluster-admin-kubeconfig', 'file', 'front proxy of kcp, for reviews in clusters of other shards'),
      used('cache-kubeconfig', 'file', 'the cache server; the one in the shard if absent'),
      { ...used('cache-server-kubeconfig-file', 'file', 'old name of --cache-kubeconfig'), aliasOf: 'cache-kubeconfig' },
    ),
    unused('shard-external-url', 'text', 'kcp does not use it either'),
    unused('feature-gates', 'text', 'what a gate switches is discovered from the shard'),
  ],
  Serving: [
    used('bind-address', 'ip', 'address to listen on; 0.0.0.0 or :: is every interface', '0.0.0.0'),
    used('secure-port', 'port', 'port to listen on; 0 is any free one', '6444'),
    used('tls-cert-file', 'file', 'serving certificate, followed by its CA certificates', '.kcp/apiserver.crt'),
    used('tls-private-key-file', 'file', 'key of --tls-cert-file', '.kcp/apiserver.key'),
    used('tls-min-version', 'text', 'VersionTLS12 or VersionTLS13; the older two mean VersionTLS12, which is the oldest served'),
    used('tls-cipher-suites', 'list', 'suites of TLS 1.2 to offer, by their Go names; those of TLS 1.3 are always offered'),
    used('tls-curve-preferences', 'list', 'key exchange groups to offer, by their Go numbers: 23, 24, 25, 29, 4587, 4588, 4589'),
    used(
      'http2-max-streams-per-connection',
      'count',
      'streams in one HTTP/2 connection; 0 is the default',
      String(DEFAULT_LIMITS.http2Streams),
    ),
    used('disable-http2-serving', 'bool', 'do not offer HTTP/2', 'false'),
    unused('cert-dir', 'text', 'the certificate and key are named by their own flags'),
    unused('permit-address-sharing', 'bool', 'SO_REUSEADDR is always set'),
    unused('permit-port-sharing', 'bool', 'a port has one owner; a second start says that it is in use'),
    limited(
      unused('tls-sni-cert-key', 'list', 'one certificate is served, to every name'),
      [''],
      'one certificate is served to every name: give --tls-cert-file one that has all of them',
    ),
  ],
  Authentication: [
    used('client-ca-file', 'file', 'client certificates of these CAs authenticate their common name and organizations'),
    ...only(
      CALLERS,
      used('authentication-kubeconfig', 'file', 'where tokens are reviewed; /clusters/root of --kubeconfig if absent'),
      used('authentication-token-webhook-cache-ttl', 'duration', 'how long a reviewed token is believed', '10s'),
    ),
    limited(
      unused('authentication-skip-lookup', 'bool', 'CAs are never looked up in a cluster'),
      ['true'],
      'CAs are not looked up in a cluster: name them with --client-ca-file and --requestheader-client-ca-file',
    ),
    unused('authentication-tolerate-lookup-failure', 'bool', 'CAs are never looked up in a cluster'),
    used('requestheader-client-ca-file', 'file', 'CA of the proxies that may speak for users with the headers below'),
    used('requestheader-allowed-names', 'list', 'common names of those proxies; any certificate of the CA if empty', ''),
    ...only(
      CALLERS,
      used('requestheader-username-headers', 'list', 'headers with the name of the user', 'X-Remote-User'),
      used('requestheader-group-headers', 'list', 'headers with a group each', 'X-Remote-Group'),
      used('requestheader-uid-headers', 'list', 'headers with the UID', ''),
      used('requestheader-extra-headers-prefix', 'list', 'prefixes of headers with extra attributes', 'X-Remote-Extra-'),
    ),
  ],
  Audit: [
    ...only(
      CALLERS,
      used('audit-log-path', 'text', 'file for one JSON line per request, - for standard output; the log if absent'),
      used('audit-log-maxsize', 'count', 'megabytes after which the file is rotated; 0 is never', '100'),
      used('audit-log-maxbackup', 'count', 'rotated files kept; 0 is all', '100'),
      used('audit-log-maxage', 'count', 'days that rotated files are kept; 0 is for ever', '366'),
    ),
    limited(
      unused('audit-log-mode', 'text', BATCH),
      ['batch', 'blocking'],
      'requests do not wait for the audit log and are not refused when it cannot be written: use batch',
    ),
    unused('audit-policy-file', 'text', 'every request is logged, always without headers and bodies'),
    unused('audit-log-format', 'text', 'a line is always JSON'),
    unused('audit-log-version', 'text', 'the lines are not audit.k8s.io events'),
    unused('audit-log-compress', 'bool', 'rotated files stay as they are'),
    unused('audit-log-batch-buffer-size', 'count', BATCH),
    unused('audit-log-batch-max-size', 'count', BATCH),
    unused('audit-log-batch-max-wait', 'duration', BATCH),
    unused('audit-log-batch-throttle-burst', 'count', BATCH),
    unused('audit-log-batch-throttle-enable', 'bool', BATCH),
    unused('audit-log-batch-throttle-qps', 'number', BATCH),
    unused('audit-log-truncate-enabled', 'bool', EVENT),
    unused('audit-log-truncate-max-batch-size', 'count', EVENT),
    unused('audit-log-truncate-max-event-size', 'count', EVENT),
    limited(
      webhook('config-file', 'text'),
      [''],
      'there is no audit webhook, and its receiver would miss every event: use --audit-log-path',
    ),
    webhook('batch-buffer-size', 'count'),
    webhook('batch-max-size', 'count'),
    webhook('batch-max-wait', 'duration'),
    webhook('batch-throttle-burst', 'count'),
    webhook('batch-throttle-enable', 'bool'),
    webhook('batch-throttle-qps', 'number'),
    webhook('initial-backoff', 'duration'),
    webhook('mode', 'text'),
    webhook('truncate-enabled', 'bool'),
    webhook('truncate-max-batch-size', 'count'),
    webhook('truncate-max-event-size', 'count'),
    webhook('version', 'text'),
  ],
  'Logs and profiles': [
    used('v', 'count', 'verbosity: 0 to 3 info, 4 and 5 debug, from 6 trace (also -v 4, -v4)', '2'),
    unused('vmodule', 'text', 'verbosity is set for the process with -v'),
    unused('logging-format', 'text', STREAM),
    unused('log-flush-frequency', 'duration', 'lines are written as they come'),
    unused('log-json-info-buffer-size', 'text', STREAM),
    unused('log-json-split-stream', 'bool', STREAM),
    unused('log-text-info-buffer-size', 'text', STREAM),
    unused('log-text-split-stream', 'bool', STREAM),
    unused('profiler-address', 'text', 'profiles are taken with the inspector of Node (SIGUSR1)'),
  ],
};

/** Flags that kcp's binary does not have. */
const OWN_FLAGS: Readonly<Record<string, readonly Flag[]>> = {
  'Only here': [
    ...only(
      ['up'],
      used('topology', 'text', 'fleet: one process per service; single: all of them in one', 'fleet'),
      used('services', 'list', 'services to start; those with the views of kcp if absent'),
      used(
        'views',
        'list',
        'views to serve besides, whose services are started too: workspaces, which needs the rights of masters at every shard, and syncer and upsyncer',
        '',
      ),
      used(
        'syncer-kubeconfig',
        'file',
        'credentials of syncer-vw, as kcp-vw workload install writes them; needed for the view syncer',
      ),
    ),
    ...only(
      VIEWS,
      used('impersonate-reads', 'bool', 'send every read to the shard as its caller', 'false'),
      used(
        'workspace-access',
        'text',
        'who may enter a workspace: as rbac says, or, for shards with a webhook, their reviews',
        'rbac',
      ),
      used('authorization-allow-ttl', 'seconds', 'how long an allowing access review is believed', '10s'),
      used('authorization-deny-ttl', 'seconds', 'how long a denying access review is believed', '5s'),
    ),
    ...only(
      ['up', 'serve'],
      used('shard', 'text', 'name of the shard of --kubeconfig, where one front proxy stands before several'),
    ),
    ...only(['up'], used('shard-kubeconfigs', 'list', 'further shards to serve: name=kubeconfig', '')),
    ...only(
      CALLERS,
      used(
        'shard-addresses',
        'list',
        'how shards are told apart: name=sni:host, name=port:number (listened on, too) or name=host:host',
        '',
      ),
    ),
    ...only(
      ['front-proxy'],
      used('addresses', 'file', 'JSON: {"views": {"<view>": [{"service", "instance", "url"}]}}; read again when it changes'),
    ),
    ...only(
      CALLERS,
      used('services-ca-file', 'file', 'certificates of services that are reached by URL have to come from these CAs'),
      used('proxy-client-cert-file', 'file', 'client certificate to show to those services'),
      used('proxy-client-key-file', 'file', 'key of --proxy-client-cert-file'),
      used(
        'allowed-endpoints',
        'list',
        'where services may be that are registered: host, *.domain, IP address or CIDR range, each with or without :port',
        '',
      ),
      used('max-requests-in-flight-per-client', 'count', 'requests of one client at a time; more is 429; 0 is no limit', '200'),
      used('max-watches-per-client', 'count', 'open watches of one client; more is 429; 0 is no limit', '5000'),
      used('requests-per-second-per-client', 'count', 'requests of one client per second; more is 429; 0 is no limit', '0'),
      used('request-burst-per-client', 'count', 'requests of one client at once, beyond that rate', '100'),
      used('shard-client-names', 'list', 'common names of certificates that may send Impersonate-*; of all masters if empty', ''),
    ),
    used(
      'registration-kubeconfig',
      'file',
      'workspace with the VirtualWorkspace objects; root, by way of the cache server, if absent',
    ),
    ...only(
      ['serve'],
      used('advertised-url', 'text', 'https://host:port at which front proxies reach this process; it registers itself there'),
      used('instance', 'text', 'name of this process among those of its service; host name and port if absent'),
      used('lease-duration', 'seconds', 'how long this process counts as alive after it has last said so', '15s'),
    ),
    used('ops-port', 'port', 'first port for health and metrics of the processes; Unix sockets, or none, if absent'),
    used('ops-bind-address', 'ip', 'address of --ops-port; anyone who reaches it may read the metrics', '127.0.0.1'),
    used('drain-timeout', 'seconds', 'how long running requests may take when the server stops', seconds(DEFAULT_LIMITS.drain)),
    used('shutdown-delay-duration', 'seconds', 'how long requests are still taken after /readyz has begun to fail', '0s'),
    used('max-request-body-bytes', 'bytes', 'size of a request body; larger is 413', String(DEFAULT_LIMITS.requestBody)),
    used(
      'max-request-header-bytes',
      'bytes',
      'size of the headers of a request; larger is 431',
      String(DEFAULT_LIMITS.requestHeaders),
    ),
    used(
      'request-header-timeout',
      'seconds',
      'how long a client may take to send its headers',
      seconds(DEFAULT_LIMITS.headersTimeout),
    ),
    used('max-watches', 'count', 'open watches of a process at one server', String(DEFAULT_LIMITS.watchStreams)),
  ],
};

/** Of a front proxy that stands where kcp-front-proxy does. Names and defaults are those of kcp and Kubernetes. */
const PUBLIC_FLAGS: Readonly<Record<string, readonly Flag[]>> = {
  'A public face': only(
    CALLERS,
    used('face', 'text', 'services: where virtual workspaces are published; public: where kcp-front-proxy stands', 'services'),
    used('authentication-drop-groups', 'list', 'groups to drop beside those that always are; a * at the end is anything', ''),
    used('authentication-pass-on-groups', 'list', 'groups to keep of the others; all if empty', ''),
    used('oidc-issuer-url', 'text', 'issuer of ID tokens, https'),
    used('oidc-client-id', 'text', 'audience that ID tokens have to be for'),
    used('oidc-username-claim', 'text', 'claim with the name of the user', 'sub'),
    used('oidc-username-prefix', 'text', 'put before names; <issuer># if absent, unless the claim is email; - is none'),
    used('oidc-groups-claim', 'text', 'claim with the groups'),
    used('oidc-groups-prefix', 'text', 'put before groups', ''),
    used('oidc-required-claim', 'list', 'claim=value that an ID token has to have', ''),
    used('oidc-signing-algs', 'list', 'asymmetric algorithms that ID tokens may be signed with', 'RS256'),
    used('oidc-ca-file', 'file', 'CA of the issuer; those of the system if absent'),
    used('service-account-key-file', 'list', 'PEM files with keys that tokens of service accounts are signed with', ''),
    used('service-account-issuer', 'list', 'issuers of tokens of service accounts', 'https://kcp.default.svc'),
    used('api-audiences', 'list', 'audiences of which tokens of service accounts have to name one; the issuers if empty', ''),
    used('shards-kubeconfig', 'file', 'root shard, with credentials for all: service accounts are looked up where they live'),
    used('token-auth-file', 'file', 'CSV with tokens and their users; they never end and stand in a file: insecure'),
    used('insecure-token-auth-file', 'bool', 'take --token-auth-file all the same', 'false'),
  ),
};

export const FLAG_SECTIONS: Readonly<Record<string, readonly Flag[]>> = { ...KCP_FLAGS, ...OWN_FLAGS, ...PUBLIC_FLAGS };
export const FLAGS: ReadonlyMap<string, Flag> = new Map(
  Object.values(FLAG_SECTIONS)
    .flat()
    .map(flag => [flag.name, flag]),
);
