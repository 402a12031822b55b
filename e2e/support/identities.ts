import { loadTarget, type TargetShard } from '../target.ts';
import { issueClientCertificate, type KeyPair } from './certificates.ts';
import { Client, type Credentials } from './client.ts';

export const target = loadTarget();

export const admin: Credentials = { name: 'kcp-admin', keyPair: target.admin };
export const masters: Credentials = { name: 'masters', keyPair: target.masters };
export const mastersByToken: Credentials = { name: 'masters by token', token: target.mastersToken };
export const anonymous: Credentials = { name: 'anonymous' };

export function user(number: 1 | 2 | 3 | 4 | 5): Credentials & { readonly token: string } {
  const name = `user-${number}`;
  const token = target.userTokens[name];
  if (token === undefined) throw new Error(`the target describes no token of ${name}`);
  return { name, token };
}

/** Whoever holds a certificate of the client CA. */
export function certified(
  commonName: string,
  organizations: readonly string[] = [],
): Credentials & { readonly keyPair: KeyPair } {
  return { name: commonName, keyPair: issueClientCertificate(target.clientAuthority, commonName, organizations) };
}

/** A proxy whose `X-Remote-*` headers count. */
export function trustedProxy(): Credentials & { readonly keyPair: KeyPair } {
  return { name: 'a trusted proxy', keyPair: issueClientCertificate(target.requestHeaderAuthority, target.requestHeaderName) };
}

export function atFrontProxy(credentials: Credentials): Client {
  return new Client(target.frontProxyURL, target.servingAuthority, credentials);
}

/** The root shard, unless another one is given. */
export function atShard(credentials: Credentials, { shardURL }: Pick<TargetShard, 'shardURL'> = target): Client {
  return new Client(shardURL, target.servingAuthority, credentials);
}

/** The virtual workspaces of the root shard, unless another one is given. */
export function atVirtualWorkspaces(
  credentials: Credentials,
  { virtualWorkspaceURL }: Pick<TargetShard, 'virtualWorkspaceURL'> = target,
): Client {
  return new Client(virtualWorkspaceURL, target.servingAuthority, credentials);
}
