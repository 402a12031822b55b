import { readFileSync } from 'node:fs';
import { isOrigin } from '@kcp-vw/shared/config/origin.ts';
import type { EndpointPolicy } from '../endpoints/endpoint-policy.ts';
import type { Address } from './addresses.ts';

/** View → where it is served. A Map: a view's name comes from the path of a request, and `constructor` is no view. */
export type Addresses = ReadonlyMap<string, readonly Address[]>;

export interface ReadAddressesOptions {
  readonly file: string;
  /** There are a CA and a certificate to reach services by URL with. */
  readonly withUrls: boolean;
  /** Where services may be that are reached by URL. */
  readonly policy: EndpointPolicy;
}

/** Reads `{"views": {"<view>": [{service, instance, socketPath | url}]}}`. Throws with one sentence when it is not that. */
export function readAddresses(options: ReadAddressesOptions): Addresses {
  const { file } = options;
  const { views } = objectOf(parseJson(readFileSync(file, 'utf8'), file)) ?? {};
  const lists = objectOf(views);
  if (lists === undefined) throw new Error(`${file}: "views" is missing`);
  return new Map(
    Object.entries(lists).map(([view, addresses]) => {
      if (!Array.isArray(addresses)) throw new Error(`${file}: the addresses of ${view} are not a list`);
      return [view, addresses.map(value => addressOf(value, view, options))];
    }),
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function addressOf(value: unknown, view: string, { file, withUrls, policy }: ReadAddressesOptions): Address {
  const { service, instance, socketPath, url, shard } = objectOf(value) ?? {};
  const isRight =
    isText(service) && isText(instance) && isText(socketPath) !== isText(url) && (shard === undefined || isText(shard));
  if (!isRight) {
    throw new Error(
      `${file}: an address of ${view} is not {service, instance, socketPath} or {service, instance, url}, each with a shard or without`,
    );
  }
  const common = { service, instance, ...(shard !== undefined && { shard }) };
  if (isText(socketPath)) return Object.freeze({ ...common, socketPath });
  if (!isText(url) || !isOrigin(url)) {
    // Not shown: what stands where a password can stand may be one.
    throw new Error(`${file}: the url of ${service} ${instance} is not https://host:port and nothing else`);
  }
  if (!withUrls) {
    throw new Error(
      `${file}: ${service} is at a url, which needs --services-ca-file, --proxy-client-cert-file and --proxy-client-key-file`,
    );
  }
  const refusal = policy.refusalOf(url);
  if (refusal !== undefined) throw new Error(`${file}: the url of ${service} ${instance} is refused: ${refusal}`);
  return Object.freeze({ ...common, url, policy });
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const objectOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
