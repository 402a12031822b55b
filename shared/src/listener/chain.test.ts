import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { authorityOf, createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';
import { chainValidUntil } from './chain.ts';

const root = createAuthority({ commonName: 'root' });
const other = createAuthority({ commonName: 'other' });
const namesake = createAuthority({ commonName: 'root' });
const expiredRoot = createAuthority({ commonName: 'expired-root', expired: true });
const intermediate = root.issueAuthority({ commonName: 'intermediate', pathLength: 0 });
const second = intermediate.issueAuthority({ commonName: 'below-path-length-0' });
const forServers = root.issueAuthority({ commonName: 'for-servers', extensions: ['extendedKeyUsage=serverAuth'] });
const constrained = root.issueAuthority({
  commonName: 'constrained',
  extensions: ['nameConstraints=critical,permitted;DNS:example.com'],
});
const odd = root.issueAuthority({ commonName: 'odd', extensions: ['1.2.3.4=critical,ASN1:NULL'] });
const client = { commonName: 'alice', usage: 'client' as const };
const leaf = root.issue(client);

interface Case {
  readonly leaf: KeyPair;
  readonly intermediates?: readonly KeyPair[];
  readonly authorities: readonly KeyPair[];
}

const accepted: Record<string, Case> = {
  'signed by the authority': { leaf, authorities: [root] },
  'signed by one of several authorities': { leaf, authorities: [other, root] },
  'signed by an intermediate that the client sends': {
    leaf: intermediate.issue(client),
    intermediates: [intermediate],
    authorities: [root],
  },
  'signed by an intermediate, with unrelated certificates around it': {
    leaf: intermediate.issue(client),
    intermediates: [other, second, intermediate, root],
    authorities: [root],
  },
  'signed by an authority that is trusted though it is not self-signed': {
    leaf: intermediate.issue(client),
    authorities: [intermediate],
  },
};

const refused: Record<string, Case> = {
  'signed by another authority': { leaf, authorities: [other] },
  // The name and even the serial of an authority can be chosen by anyone; only the signature counts.
  'signed by another authority of the same name': { leaf: namesake.issue(client), authorities: [root] },
  'without any authority': { leaf, authorities: [] },
  'signed by an intermediate that the client does not send': { leaf: intermediate.issue(client), authorities: [root] },
  'of an authority that the client brings itself': { leaf: other.issue(client), intermediates: [other], authorities: [root] },
  'that has expired': { leaf: root.issue({ ...client, expired: true }), authorities: [root] },
  'of an authority that has expired': { leaf: expiredRoot.issue(client), authorities: [expiredRoot] },
  'for servers': { leaf: root.issue({ commonName: 'alice', usage: 'server' }), authorities: [root] },
  // Whoever has a client certificate must not be able to make certificates of other users with it.
  'signed with the certificate of another client': {
    leaf: authorityOf(leaf).issue(client),
    intermediates: [leaf],
    authorities: [root],
  },
  'below more authorities than the path length allows': {
    leaf: second.issue(client),
    intermediates: [second, intermediate],
    authorities: [root],
  },
  'of an authority for servers only': { leaf: forServers.issue(client), intermediates: [forServers], authorities: [root] },
  'of an authority with a critical extension nobody knows': {
    leaf: odd.issue(client),
    intermediates: [odd],
    authorities: [root],
  },
};

const parse = ({ certPem }: KeyPair): X509Certificate => new X509Certificate(certPem);

const verdict = ({ leaf, intermediates = [], authorities }: Case, now = Date.now()): number | undefined =>
  chainValidUntil(parse(leaf), intermediates.map(parse), authorities.map(parse), now);

/** OpenSSL's opinion of the same chain. */
function opensslAccepts({ leaf, intermediates = [], authorities }: Case): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'chain-'));
  const file = (name: string, pairs: readonly KeyPair[]): string => {
    writeFileSync(join(folder, name), pairs.map(({ certPem }) => certPem).join(''));
    return join(folder, name);
  };
  const untrusted = intermediates.length > 0 ? ['-untrusted', file('untrusted', intermediates)] : [];
  const trusted = authorities.length > 0 ? ['-CAfile', file('trusted', authorities)] : ['-no-CAfile'];
  const args = ['verify', '-purpose', 'sslclient', '-partial_chain', '-no-CApath', ...trusted, ...untrusted];
  try {
    execFileSync('openssl', [...args, file('leaf', [leaf])], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a client certificate is accepted', () => {
  test.each(Object.keys(accepted))('%s', name => {
    const chain = accepted[name] as Case;
    expect(verdict(chain)).toBeGreaterThan(Date.now());
    expect(opensslAccepts(chain)).toBe(true);
  });

  test('until the first certificate of its chain ends', () => {
    const short = root.issueAuthority({ commonName: 'short', days: 2 });
    const chain = { leaf: short.issue(client), intermediates: [short], authorities: [root] };
    const end = parse(short).validToDate.getTime();
    expect(verdict(chain)).toBe(end);
    expect(verdict(chain, end + 1)).toBeUndefined();
  });
});

describe('a client certificate is refused', () => {
  test.each(Object.keys(refused))('%s', name => {
    const chain = refused[name] as Case;
    expect(verdict(chain)).toBeUndefined();
    expect(opensslAccepts(chain)).toBe(false);
  });

  test('of an authority with name constraints, because nobody evaluates them here', () => {
    expect(verdict({ leaf: constrained.issue(client), intermediates: [constrained], authorities: [root] })).toBeUndefined();
  });

  test('before it begins to be valid', () => {
    expect(verdict({ leaf, authorities: [root] }, parse(leaf).validFromDate.getTime() - 1)).toBeUndefined();
  });

  // CVE-2018-16875: certificates that all issue one another made Go search through every order of them.
  test('soon, when its intermediates can be put together in very many ways', () => {
    const loop = createAuthority({ commonName: 'loop' });
    let checks = 0;
    const copies = Array.from({ length: 12 }, () => parse(loop));
    const counted = [parse(loop.issue(client)), ...copies].map(certificate => {
      const verify = certificate.verify.bind(certificate);
      certificate.verify = key => {
        checks++;
        return verify(key);
      };
      return certificate;
    });
    const [leaf, ...intermediates] = counted as [X509Certificate, ...X509Certificate[]];
    expect(chainValidUntil(leaf, intermediates, [parse(other)], Date.now())).toBeUndefined();
    expect(checks).toBe(32);
  });
});
