import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A document that is made once and served many times. */
export interface PreparedDocument {
  readonly body: Buffer;
  /** Strong, with its quotes (RFC 9110 §8.8.3): `"3F…"`. */
  readonly etag: string;
}

/** Upper-case hexadecimal SHA-256, as kube-openapi writes its hashes. */
export const hashOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex').toUpperCase();

/** A JSON document's bytes, closed with a line feed as API servers do, and the ETag over them. */
export const prepare = (document: object): PreparedDocument => prepareBytes(Buffer.from(`${JSON.stringify(document)}\n`));

export const prepareBytes = (body: Buffer): PreparedDocument => Object.freeze({ body, etag: `"${hashOf(body)}"` });

/** The document of JSON once more, for people. Not kept: few ask for it. */
export const indented = ({ body }: PreparedDocument): PreparedDocument =>
  prepareBytes(Buffer.from(`${JSON.stringify(JSON.parse(body.toString()), null, 2)}\n`));

/** Less is not worth it: it fits one packet as it is. */
const MIN_GZIP_BYTES = 1024;
const gzipped = new WeakMap<PreparedDocument, PreparedDocument>();

/** The document gzipped, once. Other bytes have another strong ETag. Undefined for one so small that gzip gains nothing. */
export function gzipOf(document: PreparedDocument): PreparedDocument | undefined {
  if (document.body.length < MIN_GZIP_BYTES) return undefined;
  const known = gzipped.get(document);
  if (known !== undefined) return known;
  const made = Object.freeze({ body: gzipSync(document.body), etag: `${document.etag.slice(0, -1)}-gzip"` });
  gzipped.set(document, made);
  return made;
}
