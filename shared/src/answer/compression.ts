import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import { headerValue, type RawHeaders } from '../listener/headers.ts';

/** Bytes from which an answer is compressed, and how hard: as kube-apiserver does. */
export const COMPRESSED_FROM = 128 * 1024;
const OPTIONS = { level: constants.Z_BEST_SPEED };

/** Whether a request with these headers may be answered in gzip (RFC 9110 §12.5.3). */
export function acceptsGzip(headers: RawHeaders): boolean {
  const acceptEncoding = headerValue(headers, 'accept-encoding') ?? '';
  const codings = acceptEncoding.split(',').map(coding => coding.split(';').map(part => part.trim().toLowerCase()));
  const chosen = codings.find(([name]) => name === 'gzip') ?? codings.find(([name]) => name === '*');
  return chosen !== undefined && !chosen.slice(1).some(parameter => /^q=0(\.0*)?$/.test(parameter));
}

/** The headers of an answer for one in gzip. */
export function inGzip(headers: RawHeaders): string[] {
  const vary = headerValue(headers, 'vary') === undefined ? ['vary', 'Accept-Encoding'] : [];
  return [...headers, ...vary, 'content-encoding', 'gzip'];
}

const compressed = promisify<Buffer, typeof OPTIONS, Buffer>(gzip);

/** The whole of it at once, in another thread. */
export const gzipOfAnswer = (body: Buffer): Promise<Buffer> => compressed(body, OPTIONS);

/** Compresses what is written to it, piece by piece, in another thread. */
export const gzipStream = () => createGzip(OPTIONS);
