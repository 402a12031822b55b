import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A key pair that may sign certificates. */
export type Authority = KeyPair;

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

function oid(hex: string): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(hex, 'hex'));
}

const COMMON_NAME = oid('550403');
const ORGANIZATION = oid('55040a');
const EXTENDED_KEY_USAGE = oid('551d25');
const CLIENT_AUTHENTICATION = oid('2b06010505070302');
const SHA256_WITH_RSA = der(SEQUENCE, oid('2a864886f70d01010b'), Buffer.from([0x05, 0x00]));
const ECDSA_WITH_SHA256 = der(SEQUENCE, oid('2a8648ce3d040302'));

/** The elements directly inside the constructed DER value that starts `value`. */
function children(value: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  const { start, end } = extent(value, 0);
  for (let at = start; at < end; ) {
    const element = extent(value, at);
    elements.push(value.subarray(at, element.end));
    at = element.end;
  }
  return elements;
}

function extent(value: Buffer, at: number): { start: number; end: number } {
  const first = value.readUInt8(at + 1);
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const bytes = first & 0x7f;
  const start = at + 2 + bytes;
  return { start, end: start + value.readUIntBE(at + 2, bytes) };
}

/** The subject of a certificate as it was encoded: an issuer name must repeat it byte for byte. */
function subjectOf(certificate: string): Buffer {
  const [toBeSigned] = children(new X509Certificate(certificate).raw);
  const subject = toBeSigned === undefined ? undefined : children(toBeSigned)[5];
  if (subject === undefined) throw new Error('the certificate of the authority has no subject');
  return subject;
}

function attribute(type: Buffer, value: string): Buffer {
  return der(SEQUENCE, type, der(UTF8_STRING, Buffer.from(value)));
}

function name(commonName: string, organizations: readonly string[]): Buffer {
  // Go writes all organizations into one multi-valued set, which DER wants sorted; kubeconfigs in the field look like that.
  const groups = organizations.map(organization => attribute(ORGANIZATION, organization)).sort(Buffer.compare);
  const sets = groups.length === 0 ? [] : [der(SET, ...groups)];
  return der(SEQUENCE, ...sets, der(SET, attribute(COMMON_NAME, commonName)));
}

function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}

/**
 * Issues a certificate for TLS client authentication, valid for an hour: `commonName` is the user, `organizations` are the groups.
 * Node can sign but has no certificate writer, and a test needs too few fields to justify a library.
 */
export function issueClientCertificate(authority: Authority, commonName: string, organizations: readonly string[] = []): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authorityKey = createPrivateKey(authority.key);
  const algorithm = authorityKey.asymmetricKeyType === 'rsa' ? SHA256_WITH_RSA : ECDSA_WITH_SHA256;
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  const usage = der(SEQUENCE, EXTENDED_KEY_USAGE, der(OCTET_STRING, der(SEQUENCE, CLIENT_AUTHENTICATION)));
  const toBeSigned = der(
    SEQUENCE,
    der(VERSION_TAG, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, serial),
    algorithm,
    subjectOf(authority.certificate),
    der(SEQUENCE, utcTime(Date.now() - 60_000), utcTime(Date.now() + 3_600_000)),
    name(commonName, organizations),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS_TAG, der(SEQUENCE, usage)),
  );
  const signature = sign('sha256', toBeSigned, authorityKey);
  const certificate = der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').replace(/(.{64})/g, '$1\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
