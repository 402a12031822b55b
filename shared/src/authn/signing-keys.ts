import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { type FileContents, type FileWatch, watchFiles } from '../config/files.ts';

/** A key that tokens of service accounts may be signed with. */
export interface SigningKey {
  /** As Kubernetes derives it, and writes it into the header of every token it signs. */
  readonly id: string;
  readonly key: KeyObject;
  /** The one algorithm that Kubernetes signs with by such a key: what a token says of its own decides nothing. */
  readonly algorithm: string;
}

export interface SigningKeys {
  /** Those of the id; all of them without one. */
  of(id: string | undefined): readonly SigningKey[];
  /** Looks at the files now. */
  check(): Promise<void>;
  close(): void;
}

export interface SigningKeysOptions {
  /** Changed files cannot be used; what was read before stays in use. */
  readonly onError: (error: Error) => void;
  /** Milliseconds between two looks at the files. */
  readonly intervalMs?: number;
}

const ALGORITHM_OF_CURVE: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
const MIN_RSA_BITS = 2048;

/** Reads PEM files, each with one key or several, and follows them. Throws with a message that names the file when one cannot be used. */
export function loadSigningKeys(files: readonly string[], { onError, intervalMs }: SigningKeysOptions): SigningKeys {
  const read = (contents: FileContents): readonly SigningKey[] =>
    files.flatMap(file => keysOf(file, contents.get(file)?.toString() ?? ''));
  const watch: FileWatch = watchFiles(
    files,
    contents => {
      keys = read(contents);
    },
    { ...(intervalMs !== undefined && { intervalMs }), onError },
  );
  let keys: readonly SigningKey[];
  try {
    keys = read(watch.contents);
  } catch (error) {
    watch.close();
    throw error;
  }
  return {
    of: id => (id === undefined ? keys : keys.filter(key => key.id === id)),
    check: () => watch.check(),
    close: () => watch.close(),
  };
}

/** What of a PEM file is a key, or holds one; `openssl` writes the parameters of a curve before its key. */
const BLOCK = /-----BEGIN ((?:RSA |EC )?(?:PUBLIC|PRIVATE) KEY|CERTIFICATE)-----.+?-----END \1-----/gs;

function keysOf(file: string, pem: string): readonly SigningKey[] {
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.length === 0) throw new Error(`${file} holds no key in PEM form`);
  return blocks.map(([block]) => {
    try {
      // Of a private key this is the public one that belongs to it.
      return signingKeyOf(createPublicKey(block));
    } catch (cause) {
      throw new Error(`${file} holds a key that cannot be used: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  });
}

function signingKeyOf(key: KeyObject): SigningKey {
  const id = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength < MIN_RSA_BITS) throw new Error(`an RSA key needs ${MIN_RSA_BITS} bits, not ${modulusLength}`);
    return { id, key, algorithm: 'RS256' };
  }
  const algorithm = key.asymmetricKeyType === 'ec' ? ALGORITHM_OF_CURVE[namedCurve] : undefined;
  if (algorithm === undefined)
    throw new Error(`tokens are signed with RSA or with a curve of NIST, not with ${key.asymmetricKeyType}`);
  return { id, key, algorithm };
}
