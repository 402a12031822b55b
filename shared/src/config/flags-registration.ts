import { hostname } from 'node:os';
import { optional, type Values } from './flags-given.ts';
import { UsageError } from './flags-values.ts';
import type { RegistrationOptions, ShardAddress } from './options.ts';
import { isOrigin } from './origin.ts';

/** `RFC 1123`, as the names of objects are. */
const NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

/** Throws a UsageError. */
export function registrationOf(values: Values): RegistrationOptions {
  const advertisedUrl = values.get('text', 'advertised-url');
  if (advertisedUrl && !isOrigin(advertisedUrl))
    throw new UsageError('--advertised-url takes https://host:port and nothing else');
  const instance = values.get('text', 'instance') || defaultInstance(values.require('port', 'secure-port'));
  // It is the name of a field manager, too, which has no more letters.
  if (!NAME.test(instance) || instance.length > 128)
    throw new UsageError(`--instance takes up to 128 lower-case letters, digits, - and ., not ${JSON.stringify(instance)}`);
  const leaseSeconds = values.require('seconds', 'lease-duration') / 1000;
  if (!Number.isInteger(leaseSeconds) || leaseSeconds < 3)
    throw new UsageError('--lease-duration takes three whole seconds or more');
  return {
    ...optional('kubeconfig', values.get('file', 'registration-kubeconfig')),
    ...optional('advertisedUrl', advertisedUrl),
    instance,
    leaseSeconds,
    allowedEndpoints: values.require('list', 'allowed-endpoints'),
  };
}

/** Two processes of one service on a host differ by their ports; in Kubernetes a host is a pod. */
const defaultInstance = (port: number): string =>
  `${hostname()
    .toLowerCase()
    .replace(/[^-.a-z0-9]/g, '-')}-${port}`;

/** `--shard-addresses=root=sni:vw-root.example,shard-1=port:7445`. Throws a UsageError. */
export function shardAddressesOf(values: Values): readonly ShardAddress[] {
  const found = values.require('list', 'shard-addresses').map(text => {
    const [, shard = '', by = '', value = ''] = /^([^=]+)=(sni|port|host):(.+)$/.exec(text) ?? [];
    const isRight =
      by === 'port' ? /^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536 : NAME.test(value.toLowerCase());
    if (!NAME.test(shard) || !isRight) {
      throw new UsageError(
        `--shard-addresses takes name=sni:host, name=port:number and name=host:host, not ${JSON.stringify(text)}`,
      );
    }
    return { shard, by: by as ShardAddress['by'], value: value.toLowerCase() };
  });
  const keys = found.map(({ by, value }) => `${by}:${value}`);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new UsageError(`--shard-addresses gives ${twice} to two shards`);
  return found;
}

/** `--shard-kubeconfigs=shard-1=/path`. Throws a UsageError. */
export function shardKubeconfigsOf(values: Values): Readonly<Record<string, string>> {
  const pairs = values.require('list', 'shard-kubeconfigs').map(text => {
    const [, shard = '', file = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (!NAME.test(shard)) throw new UsageError(`--shard-kubeconfigs takes name=kubeconfig, not ${JSON.stringify(text)}`);
    return [shard, file] as const;
  });
  const names = [values.get('text', 'shard'), ...pairs.map(([name]) => name)];
  if (pairs.length > 0 && !names[0])
    throw new UsageError('--shard is required with --shard-kubeconfigs: the name of the shard of --kubeconfig');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`the shard ${twice} is given twice`);
  return Object.fromEntries(pairs);
}
