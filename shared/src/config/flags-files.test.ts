import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { parseFlags } from './flags.ts';
import { refuseSharedAuthority, validateFiles } from './flags-files.ts';

describe('the files that flags name', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'files-'));
    const authority = createAuthority({ commonName: 'ca' });
    const serving = authority.issue({ commonName: 'server', usage: 'server' });
    const other = authority.issue({ commonName: 'other', usage: 'server' });
    const files = {
      kubeconfig: 'kind: Config',
      empty: '\n',
      'ca.crt': authority.certPem,
      'bundle.crt': `# two\n${authority.certPem}\n${serving.certPem}`,
      'broken.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      'serving.crt': serving.certPem,
      'serving.key': serving.keyPem,
      'other.key': other.keyPem,
      'own-ca.crt': createAuthority({ commonName: 'ca' }).certPem,
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    mkdirSync(join(folder, 'folder'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const check = (given: Record<string, string>): void => {
    const flags = { kubeconfig: 'kubeconfig', 'tls-cert-file': 'serving.crt', 'tls-private-key-file': 'serving.key', ...given };
    validateFiles(parseFlags(Object.entries(flags).map(([name, file]) => `--${name}=${join(folder, file)}`)));
  };

  test('pass when each is what its flag says', () => {
    expect(() => check({ 'client-ca-file': 'bundle.crt', 'requestheader-client-ca-file': 'ca.crt' })).not.toThrow();
  });

  test.each([
    ['kubeconfig', 'missing', /^--kubeconfig: .*missing does not exist$/],
    ['kubeconfig', 'folder', /^--kubeconfig: .*folder is not a file$/],
    ['kubeconfig', 'empty', /^--kubeconfig: .*empty is empty$/],
    ['cache-kubeconfig', 'kubeconfig/x', /^--cache-kubeconfig: .* does not exist$/],
    ['authentication-kubeconfig', 'missing', /^--authentication-kubeconfig: /],
    ['external-logical-cluster-admin-kubeconfig', 'missing', /^--external-logical-cluster-admin-kubeconfig: /],
    ['client-ca-file', 'kubeconfig', /^--client-ca-file: .*kubeconfig holds no PEM certificate$/],
    ['client-ca-file', 'broken.crt', /^--client-ca-file: .* cannot be decoded$/],
    ['requestheader-client-ca-file', 'missing', /^--requestheader-client-ca-file: /],
    ['tls-cert-file', 'missing', /^--tls-cert-file: /],
    ['tls-private-key-file', 'ca.crt', /^--tls-private-key-file: .* holds no PEM private key without a passphrase$/],
    ['tls-private-key-file', 'other.key', /^--tls-private-key-file: .* is not the key of the certificate in /],
  ])('are refused by flag and file: --%s=%s', (flag, file, message) => {
    expect(() => check({ [flag]: file })).toThrow(message);
  });

  const shared = (requestHeader: string, client: string): void =>
    refuseSharedAuthority(
      parseFlags([
        '--kubeconfig=x',
        `--requestheader-client-ca-file=${join(folder, requestHeader)}`,
        `--client-ca-file=${client && join(folder, client)}`,
      ]),
    );

  // Users get certificates of the client CA, and may ask for one with the front proxy's name.
  test.each(['ca.crt', 'bundle.crt'])('may not make users into front proxies: %s', client => {
    expect(() => shared('ca.crt', client)).toThrow(/has an authority of --client-ca-file, which issues certificates to users/);
    expect(() => shared('own-ca.crt', client)).not.toThrow();
    expect(() => shared('ca.crt', '')).not.toThrow();
  });
});
