import { UsageError } from './flags-values.ts';
import type { TLSOptions } from './options.ts';

/** Kubernetes names the versions as Go does. What is older than 1.2 is not served: asking for it gets the oldest there is. */
const VERSIONS: ReadonlyMap<string, 'TLSv1.2' | 'TLSv1.3'> = new Map([
  ['VersionTLS10', 'TLSv1.2'],
  ['VersionTLS11', 'TLSv1.2'],
  ['VersionTLS12', 'TLSv1.2'],
  ['VersionTLS13', 'TLSv1.3'],
]);

/** Of TLS 1.3, where Go takes no choice: they are named to OpenSSL explicitly, which would drop the version otherwise. */
const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Go's names of the suites of TLS 1.2, with OpenSSL's. Those that Go calls insecure are missing: they are not offered. */
const TLS12_SUITES: ReadonlyMap<string, string> = new Map([
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ECDHE-ECDSA-AES128-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
]);

/** Go's `tls.CurveID` numbers (they are IANA's), with OpenSSL's names. */
const GROUPS: ReadonlyMap<string, string> = new Map([
  ['23', 'prime256v1'],
  ['24', 'secp384r1'],
  ['25', 'secp521r1'],
  ['29', 'X25519'],
  ['4587', 'SecP256r1MLKEM768'],
  ['4588', 'X25519MLKEM768'],
  ['4589', 'SecP384r1MLKEM1024'],
]);

function choose<T>(flag: string, known: ReadonlyMap<string, T>, name: string): T {
  const chosen = known.get(name);
  if (chosen === undefined) {
    throw new UsageError(`--${flag} takes ${[...known.keys()].join(', ')}, not ${JSON.stringify(name)}`);
  }
  return chosen;
}

/** The choices of TLS flags in OpenSSL's words; what is not chosen is absent. */
export function tlsChoices(
  minVersion: string | undefined,
  suites: readonly string[],
  curves: readonly string[],
): Pick<TLSOptions, 'minVersion' | 'ciphers' | 'ecdhCurve'> {
  const older = suites.filter(name => !TLS13_SUITES.includes(name)).map(name => choose('tls-cipher-suites', TLS12_SUITES, name));
  return {
    ...(minVersion && { minVersion: choose('tls-min-version', VERSIONS, minVersion) }),
    ...(suites.length > 0 && { ciphers: [...TLS13_SUITES, ...new Set(older)].join(':') }),
    ...(curves.length > 0 && { ecdhCurve: curves.map(id => choose('tls-curve-preferences', GROUPS, id)).join(':') }),
  };
}
