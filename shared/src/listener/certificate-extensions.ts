import type { X509Certificate } from 'node:crypto';

/** What path validation needs of a certificate's extensions (RFC 5280 4.2) and `X509Certificate` does not tell. */
export interface CertificateExtensions {
  /** Authorities that may follow below this one; Infinity if there is no limit. */
  readonly pathLength: number;
  /** Absent extension: every usage is allowed. */
  readonly mayDigitallySign: boolean;
  readonly mayCertify: boolean;
  readonly hasNameConstraints: boolean;
  /** A critical extension we do not process: the certificate has to be rejected. */
  readonly hasUnknownCritical: boolean;
}

/** Encoded object identifiers below 2.5.29, in hexadecimal. */
const KEY_USAGE = '551d0f';
const SUBJECT_ALTERNATIVE_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const NAME_CONSTRAINTS = '551d1e';
const CERTIFICATE_POLICIES = '551d20';
const EXTENDED_KEY_USAGE = '551d25';
const PROCESSED = new Set([
  KEY_USAGE,
  SUBJECT_ALTERNATIVE_NAME,
  BASIC_CONSTRAINTS,
  NAME_CONSTRAINTS,
  CERTIFICATE_POLICIES,
  EXTENDED_KEY_USAGE,
]);

const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
/** `[3] EXPLICIT Extensions` of a TBSCertificate. */
const EXTENSIONS = 0xa3;

/** Throws on what is no DER; OpenSSL has parsed the certificate before, so that does not happen. */
export function certificateExtensions(certificate: X509Certificate): CertificateExtensions {
  const [whole] = elements(certificate.raw);
  const [toBeSigned] = elements(contentOf(whole));
  const wrapped = elements(contentOf(toBeSigned)).find(({ tag }) => tag === EXTENSIONS);
  const list = wrapped ? elements(contentOf(elements(wrapped.content)[0])) : [];

  const values = new Map<string, Buffer>();
  let hasUnknownCritical = false;
  for (const { content } of list) {
    const [oid, ...rest] = elements(content);
    const name = contentOf(oid).toString('hex');
    values.set(name, contentOf(rest.find(({ tag }) => tag === OCTET_STRING)));
    const critical = rest.some(({ tag, content: value }) => tag === BOOLEAN && value[0] !== 0);
    if (critical && !PROCESSED.has(name)) hasUnknownCritical = true;
  }

  const usage = keyUsageBits(values.get(KEY_USAGE));
  return {
    pathLength: pathLength(values.get(BASIC_CONSTRAINTS)),
    mayDigitallySign: usage === undefined || (usage & DIGITAL_SIGNATURE) !== 0,
    mayCertify: usage === undefined || (usage & KEY_CERT_SIGN) !== 0,
    hasNameConstraints: values.has(NAME_CONSTRAINTS),
    hasUnknownCritical,
  };
}

/** The first eight bits of the BIT STRING; the ninth (decipherOnly) does not matter here. */
function keyUsageBits(value: Buffer | undefined): number | undefined {
  if (value === undefined) return undefined;
  // The first byte counts the unused bits at the end.
  return contentOf(elements(value)[0])[1] ?? 0;
}

function pathLength(value: Buffer | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  const limit = elements(contentOf(elements(value)[0])).find(({ tag }) => tag === INTEGER);
  return limit ? Number.parseInt(limit.content.toString('hex'), 16) : Number.POSITIVE_INFINITY;
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

function contentOf(element: Element | undefined): Buffer {
  if (element === undefined) throw new Error('not a certificate: an element is missing');
  return element.content;
}

/** The DER elements that follow one another in `der` (X.690 8.1; tags over 30 do not occur in certificates). */
function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  let offset = 0;
  while (offset < der.length) {
    const tag = der.readUInt8(offset);
    let length = der.readUInt8(offset + 1);
    offset += 2;
    if (length >= 0x80) {
      const bytes = length & 0x7f;
      length = der.readUIntBE(offset, bytes);
      offset += bytes;
    }
    if (offset + length > der.length) throw new Error('not a certificate: an element is longer than what holds it');
    found.push({ tag, content: der.subarray(offset, offset + length) });
    offset += length;
  }
  return found;
}
