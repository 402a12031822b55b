import { type RequestOptions, request } from 'node:https';
import { isRecord } from './records.ts';

/** Milliseconds for one document, from dialling to its last byte. */
const TIMEOUT_MS = 10_000;
/** Bytes; a set of keys has a few thousand. */
const MAX_BYTES = 1024 * 1024;

export interface FetchDocumentOptions {
  /** PEM. Absent: the system's roots. */
  readonly ca?: Buffer | undefined;
  readonly timeout?: number;
}

/**
 * A JSON object by https. Not by `fetch`, which follows redirects and reads as much as there is: what an issuer publishes decides who users
 * are, and is where it says, or it is not there. Rejects with an Error that names the address.
 */
export async function fetchDocument(url: URL, options: FetchDocumentOptions): Promise<Readonly<Record<string, unknown>>> {
  if (url.protocol !== 'https:') throw new Error(`${url.href} is not https`);
  let text: string;
  try {
    text = await read(url, options);
  } catch (cause) {
    throw new Error(`${url.href} cannot be fetched: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${url.href} is not JSON`, { cause });
  }
  if (!isRecord(value)) throw new Error(`${url.href} is no JSON object`);
  return value;
}

function read(url: URL, { ca, timeout = TIMEOUT_MS }: FetchDocumentOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options: RequestOptions = {
    // A connection of its own: documents are fetched every few minutes, and a changed authority counts at once.
    agent: false,
    headers: { accept: 'application/json' },
    rejectUnauthorized: true,
    signal: AbortSignal.timeout(timeout),
    ...(ca && { ca }),
  };
  const asked = request(url, options, response => {
    if (response.statusCode !== 200) {
      asked.destroy();
      reject(new Error(`it is answered with ${response.statusCode}`));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MAX_BYTES) return;
      asked.destroy();
      reject(new Error(`it has more than ${MAX_BYTES} bytes`));
    });
    response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    response.on('error', reject);
  });
  asked.on('error', error => reject(error.name === 'AbortError' ? new Error(`no answer within ${timeout} ms`) : error));
  asked.end();
  return promise;
}
