/**
 * Everything a process of the fleet is configured with, complete: defaults applied, files not yet read. The supervisor parses flags
 * into this once and hands the same value to every process.
 */
export interface Options {
  /** The local shard, with the service's own (masters) credentials. Empty: a front proxy by itself, which does without. */
  readonly kubeconfig: string;
  /** Context of `kubeconfig`; empty: its current one. */
  readonly context: string;
  /** TokenReviews go here, to the path of its server. Absent: to `/clusters/root` of `kubeconfig`. */
  readonly authenticationKubeconfig?: string;
  /** SubjectAccessReviews for clusters of any shard go here, its server's path removed. Absent: `kubeconfig`. */
  readonly externalLogicalClusterAdminKubeconfig?: string;
  /** The cache server. Absent: the one embedded in the shard (`<server>/services/cache`). */
  readonly cacheKubeconfig?: string;
  readonly clientCAFile?: string;
  readonly requestHeader: RequestHeaderOptions;
  readonly tls: TLSOptions;
  /** An IP address; an unspecified one (`0.0.0.0`, `::`) means every interface and both address families. */
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly securePort: number;
  /** `fleet`: one process per service; `single`: all in one. */
  readonly topology: 'fleet' | 'single';
  /** Services to start, by name: `initializer-vw`. */
  readonly services: readonly string[];
  /** Credentials of syncer-vw's own, for the workspace that has the exports of what is synced; in its process they are `kubeconfig`. */
  readonly syncerKubeconfig?: string;
  /** Origin of the shard that a service with credentials of its own serves. Absent: known by `shard`, or there is one only. */
  readonly shardServer?: string;
  /** Reads that could go upstream as the service go as the caller too. */
  readonly impersonateReads: boolean;
  /** Who may enter a workspace is known from RBAC, as it is watched, or by reviews: shards with a webhook allow what RBAC does not. */
  readonly workspaceAccess: 'rbac' | 'reviews';
  /** How long the answer to a TokenReview is believed, seconds. Absent: 10. */
  readonly authenticationTokenTTL?: number;
  /** How long a positive and a negative SubjectAccessReview is believed, seconds. */
  readonly authorizationAllowTTL: number;
  readonly authorizationDenyTTL: number;
  readonly limits: Limits;
  readonly audit: AuditOptions;
  /** TCP port of the front proxy's ops server; the services follow with the next ports. Absent: Unix sockets. */
  readonly opsPort?: number;
  /** An IP address; another than the loopback one gets health and metrics, and no debugging. */
  readonly opsBindAddress: string;
  /** Where a front proxy by itself reads where the views are. */
  readonly addressesFile?: string;
  readonly serviceAccess: ServiceAccessOptions;
  /** The shard that `kubeconfig` is of, by the name that front proxies route by. Absent: there is one only. */
  readonly shard?: string;
  /** Further shards that `up` serves with the same set: their names, and kubeconfigs as `kubeconfig` is for the first one. */
  readonly furtherShards: Readonly<Record<string, string>>;
  /** How the front proxy knows which shard a connection is for; empty: there is one only. */
  readonly shardAddresses: readonly ShardAddress[];
  readonly registration: RegistrationOptions;
  /** Where the front proxy stands: `services` where kcp's binary does, `public` where kcp-front-proxy does. */
  readonly face: 'services' | 'public';
  readonly publicFace: PublicFaceOptions;
  /** Common names of client certificates that may send `Impersonate-*`; empty: those of all masters. */
  readonly shardClientNames: readonly string[];
  readonly clientLimits: ClientLimits;
  /** klog verbosity: 0–3 info, 4–5 debug, 6 and more trace. */
  readonly verbosity: number;
}

/** `minVersion`, `ciphers` and `ecdhCurve` go to `tls.createSecureContext` as they are. Absent: Node's defaults (TLS 1.2 and later). */
export interface TLSOptions {
  /** PEM: the serving certificate, followed by its CA certificates if any. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list, TLS 1.3 suites included. */
  readonly ciphers?: string;
  /** OpenSSL group list of the key exchange. */
  readonly ecdhCurve?: string;
  /** False: HTTP/2 is not offered. Absent: it is. */
  readonly http2?: boolean;
}

export interface RequestHeaderOptions {
  readonly clientCAFile?: string;
  /** Common names that may speak for others; empty: any certificate of the CA. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/** Paths of PEM files with which the front proxy reaches services by URL: all of them, or none when every service is at a Unix socket. */
export interface ServiceAccessOptions {
  /** The only authorities whose serving certificates count. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** What tells that a connection is for a shard: the name in TLS, the local port, or the Host header. */
export interface ShardAddress {
  readonly shard: string;
  readonly by: 'sni' | 'port' | 'host';
  /** A host name in lower case, or a port's number. */
  readonly value: string;
}

/** How a process takes part in the registration by object status (`registration/`). */
export interface RegistrationOptions {
  /** The workspace with the VirtualWorkspace objects. Absent: `/clusters/root` of the root shard, found by way of the cache server. */
  readonly kubeconfig?: string;
  /** `https://host:port` at which front proxies reach this service. Absent: it does not register. */
  readonly advertisedUrl?: string;
  /** Tells the processes of a service apart; a name for objects in Kubernetes. */
  readonly instance: string;
  /** How long an instance counts as alive after it has last said so, seconds. */
  readonly leaseSeconds: number;
  /** Where the front proxy may be sent by what is registered: `host`, `*.domain`, an IP address or a range in CIDR notation, each with `:port` or without. */
  readonly allowedEndpoints: readonly string[];
}

/** How callers of a public face are known, beside certificates, request headers and TokenReviews. Files not yet read. */
export interface PublicFaceOptions {
  /** Groups dropped beside the four that always are; a `*` at the end stands for anything. */
  readonly dropGroups: readonly string[];
  /** Groups that are kept of those that are not dropped; empty: all. */
  readonly passOnGroups: readonly string[];
  readonly oidc?: OidcOptions;
  readonly serviceAccounts?: ServiceAccountOptions;
  /** CSV lines `token,user,uid,"group1,group2"`. Only with the flag that says that this is insecure. */
  readonly tokenFile?: string;
}

export interface OidcOptions {
  /** https, as the tokens name it. */
  readonly issuerUrl: string;
  /** The audience that tokens have to be for. */
  readonly clientID: string;
  readonly usernameClaim: string;
  /** Put before names. Absent: `<issuerUrl>#`, unless the claim is `email`; `-`: nothing, as Kubernetes has it. */
  readonly usernamePrefix?: string;
  readonly groupsClaim?: string;
  readonly groupsPrefix: string;
  readonly requiredClaims: Readonly<Record<string, string>>;
  readonly signingAlgorithms: readonly string[];
  /** Absent: the system's roots. */
  readonly caFile?: string;
}

export interface ServiceAccountOptions {
  /** PEM files with public keys, or the keys they belong to; any may have signed. */
  readonly keyFiles: readonly string[];
  /** The first is the issuer of new tokens; all are believed. */
  readonly issuers: readonly string[];
  /** A token has to be for one of these. */
  readonly audiences: readonly string[];
  /** The root shard, with credentials that all shards know: service accounts are looked up where they live. */
  readonly shardsKubeconfig: string;
}

/** What one client may use, by the name it is known by; 0: no limit. Masters have none. */
export interface ClientLimits {
  /** Requests that are being answered, watches and upgrades not counted. */
  readonly requestsInFlight: number;
  /** Open watches and upgrades. */
  readonly watches: number;
  /** Requests per second, on the average. */
  readonly requestsPerSecond: number;
  /** Requests at once beyond that. */
  readonly burst: number;
}

export interface Limits {
  /** Bytes of a request body; more is 413. */
  readonly requestBody: number;
  /** Bytes of all request headers; more is 431. */
  readonly requestHeaders: number;
  /** Milliseconds until the request headers must be complete. */
  readonly headersTimeout: number;
  readonly http2Streams: number;
  /** Milliseconds that running requests get when the process drains. */
  readonly drain: number;
  /** Milliseconds between the first failing `/readyz` and the end of accepting, so that load balancers see it. */
  readonly shutdownDelay: number;
  /** Open watches per process towards one upstream. */
  readonly watchStreams: number;
}

export interface AuditOptions {
  /** A file, `-` for standard output; absent: no audit file, the line goes to the log. */
  readonly path?: string;
  /** Megabytes after which the file is rotated; 0: never. */
  readonly maxSizeMB: number;
  /** Rotated files kept; 0: all. */
  readonly maxBackups: number;
  /** Days that rotated files are kept; 0 or absent: for ever. */
  readonly maxAgeDays?: number;
}

/** A service that this project ships beside the front proxy. */
export interface ShippedService {
  /** The views that it answers for. */
  readonly views: readonly string[];
  /** It has views of kcp's own `virtual-workspaces`; the others need wider rights and are asked for. */
  readonly byDefault: boolean;
  /** Each of its processes knows all shards, so that it makes no difference which shard a request is for. Absent: it is of one shard. */
  readonly ofAllShards?: boolean;
  /** It has credentials of its own in the place of those of the shard, which are masters'. It may have to wait for them: nothing else waits for it. */
  readonly ownIdentity?: boolean;
}

/** By name; the front proxy is none of them. */
export const SERVICES: Readonly<Record<string, ShippedService>> = {
  'apiexport-vw': { views: ['apiexport', 'apiresourceschema'], byDefault: true },
  'initializer-vw': { views: ['initializingworkspaces', 'terminatingworkspaces'], byDefault: true },
  'syncer-vw': { views: ['syncer', 'upsyncer'], byDefault: false, ownIdentity: true },
  'workspaces-vw': { views: ['workspaces'], byDefault: false, ofAllShards: true },
};

/** Those of these services, `syncer-vw` or `syncer-vw@shard`, that a front proxy is not ready without. */
export const awaited = (services: readonly string[]): readonly string[] =>
  services.filter(name => !SERVICES[name.split('@', 1)[0] ?? '']?.ownIdentity);

export const FRONT_PROXY = 'front-proxy';

export const DEFAULT_LIMITS: Limits = {
  requestBody: 3 * 1024 * 1024,
  requestHeaders: 1024 * 1024,
  headersTimeout: 32_000,
  http2Streams: 250,
  drain: 60_000,
  shutdownDelay: 0,
  watchStreams: 10_000,
};
