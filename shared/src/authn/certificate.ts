import { createHash, type X509Certificate } from 'node:crypto';
import { type Identity, identity } from './identity.ts';

/** Where Kubernetes (1.33 and later) says which credential a user came with. */
export const CREDENTIAL_ID_KEY = 'authentication.kubernetes.io/credential-id';

/** A connection's certificate is one object for all its requests: what it says is read once. */
const known = new WeakMap<X509Certificate, Identity | undefined>();

/**
 * The user a client certificate stands for: CN is the name, every O a group. Undefined without a common name. Whether the
 * certificate is trusted, and as what, is the listener's decision (`Peer`).
 */
export function certificateIdentity(certificate: X509Certificate): Identity | undefined {
  if (!known.has(certificate)) known.set(certificate, read(certificate));
  return known.get(certificate);
}

const names = new WeakMap<X509Certificate, string>();

/** The common name; of several the last, as Go's `pkix.Name` has it. Empty when there is none. */
export function commonName(certificate: X509Certificate): string {
  let name = names.get(certificate);
  if (name === undefined) {
    name = subjectValues(certificate, 'CN').at(-1) ?? '';
    names.set(certificate, name);
  }
  return name;
}

function read(certificate: X509Certificate): Identity | undefined {
  const name = commonName(certificate);
  if (name === '') return undefined;
  const fingerprint = createHash('sha256').update(certificate.raw).digest('hex');
  return identity(name, subjectValues(certificate, 'O'), '', { [CREDENTIAL_ID_KEY]: [`X509SHA256=${fingerprint}`] });
}

/**
 * `X509Certificate.subject` is a text for people: one line per attribute, escaped, joined by ` + ` where attributes share an RDN. The
 * legacy object keeps the values apart and whole, those with newlines, NULs and other encodings than UTF-8 included; it is
 * undefined for an empty subject, an array only for repeated attributes.
 */
function subjectValues(certificate: X509Certificate, attribute: 'CN' | 'O'): readonly string[] {
  const subject: Partial<Record<string, string | readonly string[]>> | undefined = certificate.toLegacyObject().subject;
  const values = subject?.[attribute] ?? [];
  return typeof values === 'string' ? [values] : values;
}
