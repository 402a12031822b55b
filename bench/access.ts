/** Who asks, and how. Reads the target when it is loaded, as the helpers of the end-to-end tests do. */
import type { Credentials } from '@kcp-vw/e2e/support/client.ts';
import { masters, target } from '@kcp-vw/e2e/support/identities.ts';
import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { impersonationHeaders } from '@kcp-vw/shared/authn/impersonation.ts';
import type { Access } from './target.ts';

/** Requests to a base URL. */
export function accessAs({ keyPair, name }: Credentials, url: string): Access {
  if (keyPair === undefined) throw new Error(`${name} has no certificate`);
  return { url, authority: target.servingAuthority, keyPair, headers: {} };
}

/** Requests to a server of ours or to a proxy on this machine. */
export const accessAtPort = (user: Credentials, port: number): Access => accessAs(user, `https://127.0.0.1:${port}`);

export const asMasters = (): Access => accessAs(masters, target.shardURL);

/** Requests of masters to the shard, in the name of somebody else. */
export const inTheNameOf = (other: Identity): Access => ({ ...asMasters(), headers: recordOf(impersonationHeaders(other)) });

/** The headers by name, each with all of its values. */
function recordOf(headers: readonly string[]): Access['headers'] {
  const record: Record<string, string[]> = {};
  headers.forEach((name, i) => {
    if (i % 2 === 0) record[name.toLowerCase()] = [...(record[name.toLowerCase()] ?? []), headers[i + 1] ?? ''];
  });
  return record;
}
