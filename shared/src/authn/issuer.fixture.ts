/** Test equipment: an identity provider over https, whose answers a test chooses. */
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

export interface Signer {
  readonly id: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey | KeyObject;
}

/** A key of the issuer: with it tokens are signed, and its public half is published. */
export interface IssuerKey extends Signer {
  readonly publicJwk: JWK;
}

export async function issuerKey(id: string, algorithm = 'ES256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  const publicJwk = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' };
  return { id, algorithm, privateKey, publicJwk };
}

/** A token as the issuer would sign it; `kid: undefined` in the header leaves it out. */
export function sign(key: Signer, payload: object, header: { readonly kid?: string | undefined } = {}): Promise<string> {
  const fields = { alg: key.algorithm, kid: key.id, ...header } as JWTHeaderParameters;
  return new SignJWT({ ...payload }).setProtectedHeader(fields).sign(key.privateKey);
}

export type IssuerAnswer = { readonly code?: number; readonly headers?: Record<string, string>; readonly body: string };

export interface Issuer {
  readonly url: string;
  readonly caFile: string;
  /** Paths of all requests so far. */
  readonly requests: string[];
  /** What is published; tests change it. */
  keys: readonly IssuerKey[];
  /** An answer in place of what is published. */
  override: ((path: string) => IssuerAnswer | undefined) | undefined;
  close(): Promise<void>;
}

export async function startIssuer(keys: readonly IssuerKey[]): Promise<Issuer> {
  const authority = createAuthority({ commonName: 'issuer-ca' });
  const serving = authority.issue({ commonName: 'issuer', sans: ['IP:127.0.0.1'], usage: 'server' });
  const folder = mkdtempSync(join(tmpdir(), 'issuer-'));
  const caFile = join(folder, 'ca.crt');
  writeFileSync(caFile, authority.certPem);
  const requests: string[] = [];
  const published = (path: string): IssuerAnswer => {
    if (path === '/.well-known/openid-configuration') {
      return { body: JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }) };
    }
    if (path === '/keys') return { body: JSON.stringify({ keys: issuer.keys.map(({ publicJwk }) => publicJwk) }) };
    return { code: 404, body: '{}' };
  };
  const server = createServer({ cert: serving.certPem, key: serving.keyPem }, (request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const { code = 200, headers = {}, body } = issuer.override?.(path) ?? published(path);
    response.writeHead(code, headers).end(body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const issuer: Issuer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caFile,
    requests,
    keys,
    override: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
  return issuer;
}
