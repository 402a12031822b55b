import type { Options } from '@kcp-vw/shared/config/options.ts';
import type { Logger } from '@kcp-vw/shared/observe/log.ts';
import { connectRegistry, type Registry } from '@kcp-vw/shared/registration/registry-access.ts';
import { servicesOf } from '../backends/readiness.ts';
import type { ServiceCredentials } from '../backends/service-credentials.ts';
import { parseAllowedEndpoints } from '../endpoints/allowed-endpoints.ts';
import { createEndpointPolicy, type OwnAddress } from '../endpoints/endpoint-policy.ts';
import { type FollowedRegistry, followRegistry } from '../registry/registry-follower.ts';
import { type AddressSource, allAddresses } from './addresses.ts';
import { fileAddresses } from './file-addresses.ts';
import { mergedAddresses } from './merged-addresses.ts';

export interface SourcesOptions {
  readonly options: Options;
  /** The file that says where the views are; absent: it is in the registry only. */
  readonly addresses?: string | undefined;
  readonly credentials: ServiceCredentials | undefined;
  readonly log: Logger;
  /** Finds the registry; tests have one of their own. */
  readonly connect?: () => Promise<Registry>;
}

/** Where services are found, as the options say: a file, the registry, or both. */
export interface Sources {
  readonly source: AddressSource;
  readonly registry: FollowedRegistry | undefined;
  /** The services that have to be ready: those in the file. What is registered comes and goes, and nobody waits for it. Undefined: there has to be one. */
  required(): readonly string[] | undefined;
  close(): Promise<void>;
}

/** Throws when a file, or an entry of `--allowed-endpoints`, cannot be used. */
export function openSources({ options, addresses, credentials, log, connect }: SourcesOptions): Sources {
  const { registration, kubeconfig } = options;
  const own = ownAddress(options);
  const { allowedEndpoints } = registration;
  const allowed = allowedEndpoints.length > 0 ? parseAllowedEndpoints(allowedEndpoints, '--allowed-endpoints') : undefined;

  const file =
    addresses === undefined
      ? undefined
      : fileAddresses(
          {
            file: addresses,
            withUrls: credentials?.tls.ca !== undefined,
            policy: createEndpointPolicy({ lists: allowed ? [allowed] : [], unlisted: 'any', own }),
          },
          err => log.warn({ err }, 'the addresses of the services could not be read'),
        );
  if (file) log.info({ file: addresses }, 'services are found in a file');

  const isRegistered = registration.kubeconfig !== undefined || (file === undefined && kubeconfig !== '');
  const registry = isRegistered
    ? followRegistry({
        connect: connect ?? (() => connectRegistry(options, log)),
        judgement: () => ({ allowed, own, servicesCA: credentials?.tls.ca }),
        leaseSeconds: registration.leaseSeconds,
        log,
      })
    : undefined;
  const stopJudging = credentials?.onChange(() => registry?.registered()?.judgeAgain());

  const source = file && registry ? mergedAddresses(file, registry.source) : (file ?? registry?.source);
  if (source === undefined) throw new Error('nothing says where the services are: neither a file nor a registry');
  return {
    source,
    registry,
    required: () => servicesOf(file ? allAddresses(file) : []) ?? (registry ? [] : undefined),
    async close() {
      stopJudging?.();
      file?.close();
      await registry?.close();
    },
  };
}

/** Of the ports that are known beforehand. */
function ownAddress({ bindAddress, securePort, shardAddresses }: Options): OwnAddress {
  const ports = shardAddresses.filter(({ by }) => by === 'port').map(({ value }) => Number(value));
  return { host: bindAddress, ports: [securePort, ...ports] };
}
