import { createHash } from 'node:crypto';

/** A JSON document that is made once and served many times. */
export interface PreparedDocument {
  readonly body: Buffer;
  /** Strong, with its quotes (RFC 9110 §8.8.3): `"3F…"`. */
  readonly etag: string;
}

/** Upper-case hexadecimal SHA-256, as kube-openapi writes its hashes. */
export const hashOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex').toUpperCase();

/** The document's bytes, closed with a line feed as API servers do, and the ETag over them. */
export function prepare(document: object): PreparedDocument {
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  return Object.freeze({ body, etag: `"${hashOf(body)}"` });
}
