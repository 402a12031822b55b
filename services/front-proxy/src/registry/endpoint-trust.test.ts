import { expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { type Trust, type TrustInputs, trustIn } from './endpoint-trust.ts';

const [a, b, c] = ['a', 'b', 'c'].map(commonName => createAuthority({ commonName }).certPem) as [string, string, string];
const base64 = (...pems: string[]): string => Buffer.from(pems.join('')).toString('base64');
const trustOf = ({ ca, ...ofView }: TrustInputs & { readonly ca?: string }): Trust => trustIn(ofView)(ca);
const count = (trust: Trust): string[] =>
  'ca' in trust ? [a, b, c].flatMap((pem, i) => (trust.ca.includes(pem.trim()) ? ['abc'[i] as string] : [])) : [trust.refusal];

test('the bundle of the view counts, else the file of the flag', () => {
  expect(count(trustOf({ caBundle: base64(a), servicesCA: b }))).toEqual(['a']);
  expect(count(trustOf({ servicesCA: Buffer.from(b + c) }))).toEqual(['b', 'c']);
});

// Node believes every authority of the system where none is given: anybody with a certificate of a public one could be a service.
test('without either there is no trust', () => {
  expect(count(trustOf({}))).toEqual([
    'nothing says whose certificates count there: neither spec.caBundle nor --services-ca-file',
  ]);
  expect(count(trustOf({ ca: a }))).toHaveLength(1);
});

test('the word of an endpoint narrows what counts', () => {
  expect(count(trustOf({ caBundle: base64(a, b), ca: b }))).toEqual(['b']);
  expect(count(trustOf({ servicesCA: a + b, ca: c + a }))).toEqual(['a']);
});

// Whoever writes an entry would otherwise bring the authority that certifies his own server.
test('the word of an endpoint adds nobody', () => {
  expect(count(trustOf({ caBundle: base64(a, b), ca: c }))).toEqual(['none of the authorities in its ca is in spec.caBundle']);
  expect(count(trustOf({ servicesCA: a, ca: c }))).toEqual(['none of the authorities in its ca is in --services-ca-file']);
  // The same name, and another key.
  expect(count(trustOf({ servicesCA: a, ca: createAuthority({ commonName: 'a' }).certPem }))).toHaveLength(1);
});

const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

test.each([
  [{ caBundle: '' }, 'spec.caBundle holds no certificates that can be decoded'],
  [{ caBundle: base64('nothing'), servicesCA: a }, 'spec.caBundle holds no certificates that can be decoded'],
  [{ caBundle: base64(a, BROKEN) }, 'spec.caBundle holds no certificates that can be decoded'],
  [{ servicesCA: '' }, '--services-ca-file holds no certificates that can be decoded'],
  [{ servicesCA: a, ca: 'nothing' }, 'its ca holds no certificates that can be decoded'],
  [{ servicesCA: a, ca: a + BROKEN }, 'its ca holds no certificates that can be decoded'],
])('what cannot be read is refused and not left out: %#', (inputs, refusal) => {
  expect(trustOf(inputs)).toEqual({ refusal });
});
