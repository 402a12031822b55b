import { readFileSync } from 'node:fs';
import type { Address } from './addresses.ts';

/** View → where it is served. A Map: a view's name comes from the path of a request, and `constructor` is no view. */
export type Addresses = ReadonlyMap<string, readonly Address[]>;

export interface ReadAddressesOptions {
  readonly file: string;
  /** There are a CA and a certificate to reach services by URL with. */
  readonly withUrls: boolean;
}

/** Reads `{"views": {"<view>": [{service, instance, socketPath | url}]}}`. Throws with one sentence when it is not that. */
export function readAddresses({ file, withUrls }: ReadAddressesOptions): Addresses {
  const { views } = objectOf(parseJson(readFileSync(file, 'utf8'), file)) ?? {};
  const lists = objectOf(views);
  if (lists === undefined) throw new Error(`${file}: "views" is missing`);
  return new Map(
    Object.entries(lists).map(([view, addresses]) => {
      if (!Array.isArray(addresses)) throw new Error(`${file}: the addresses of ${view} are not a list`);
      return [view, addresses.map(value => addressOf(value, view, { file, withUrls }))];
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

function addressOf(value: unknown, view: string, { file, withUrls }: ReadAddressesOptions): Address {
  const { service, instance, socketPath, url } = objectOf(value) ?? {};
  if (!isText(service) || !isText(instance) || isText(socketPath) === isText(url)) {
    throw new Error(`${file}: an address of ${view} is not {service, instance, socketPath} or {service, instance, url}`);
  }
  if (isText(socketPath)) return Object.freeze({ service, instance, socketPath });
  if (!isText(url) || !isOrigin(url)) {
    // Not shown: what stands where a password can stand may be one.
    throw new Error(`${file}: the url of ${service} ${instance} is not https://host:port and nothing else`);
  }
  if (!withUrls) {
    throw new Error(
      `${file}: ${service} is at a url, which needs --services-ca-file, --proxy-client-cert-file and --proxy-client-key-file`,
    );
  }
  return Object.freeze({ service, instance, url });
}

/**
 * A path, a query or a user would be dropped on the way, and somebody relies on what is written. The text is judged beside the URL that
 * is made of it, since a parser takes away white space and turns backslashes.
 */
const isOrigin = (text: string): boolean => /^https:\/\/[^\s/?#@\\]+\/?$/i.test(text) && URL.parse(text)?.protocol === 'https:';

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const objectOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
