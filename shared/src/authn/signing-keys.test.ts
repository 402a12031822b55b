import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { loadSigningKeys } from './signing-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'signing-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const fileOf = (text: string): string => {
  const file = join(folder, `keys-${files++}.pem`);
  writeFileSync(file, text);
  return file;
};
const onError = (error: Error): never => {
  throw error;
};
const load = (...paths: string[]) => loadSigningKeys(paths, { onError, intervalMs: 60_000 });
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });

describe('the keys that tokens are signed with', () => {
  it('are all those of all files: public ones, private ones, and those of certificates', () => {
    const { certPem } = createAuthority({ commonName: 'signer' });
    const pkcs1 = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const sec1 = p521.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    const parameters = '-----BEGIN EC PARAMETERS-----\nBgUrgQQAIw==\n-----END EC PARAMETERS-----\n';
    const keys = load(fileOf(`# first\n${pkcs1}\n${spki(p256.publicKey)}`), fileOf(parameters + sec1), fileOf(certPem));
    expect(keys.of(undefined).map(({ algorithm }) => algorithm)).toEqual(['RS256', 'ES256', 'ES512', 'ES256']);
    expect(keys.of(undefined).map(({ key }) => key.type)).toEqual(['public', 'public', 'public', 'public']);
    keys.close();
  });

  it('are found by the id that Kubernetes derives from them', () => {
    const keys = load(fileOf(pkcs8(rsa.privateKey) + pkcs8(p256.privateKey)));
    const der = createPublicKey(pkcs8(p256.privateKey)).export({ type: 'spki', format: 'der' });
    const id = createHash('sha256').update(der).digest('base64url');
    expect(keys.of(id).map(({ algorithm }) => algorithm)).toEqual(['ES256']);
    expect(keys.of('other')).toEqual([]);
    keys.close();
  });

  it('follow their files, and stay in force when those cannot be used', async () => {
    const file = fileOf(spki(rsa.publicKey));
    const errors: Error[] = [];
    const keys = loadSigningKeys([file], { onError: error => errors.push(error), intervalMs: 60_000 });
    writeFileSync(file, spki(p256.publicKey));
    await keys.check();
    expect(keys.of(undefined).map(({ algorithm }) => algorithm)).toEqual(['ES256']);
    writeFileSync(file, 'half a ke');
    await keys.check();
    expect([keys.of(undefined).length, errors.map(({ message }) => message)]).toEqual([1, [`${file} holds no key in PEM form`]]);
    keys.close();
  });

  it.each<[string, () => string, string]>([
    ['nothing', () => '', 'holds no key in PEM form'],
    ['a short key', () => spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), 'an RSA key needs 2048 bits'],
    ['a key of another kind', () => spki(generateKeyPairSync('ed25519').publicKey), 'not with ed25519'],
    ['a broken key', () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'holds a key that cannot be used'],
  ])('are refused in a file with %s', (_, text, message) => {
    expect(() => load(fileOf(text()))).toThrow(message);
  });
});
