import type { IncomingMessage } from 'node:http';
import { forwardedResponseHeaders } from '../answer/forwarded-headers.ts';
import { credentialsRefused, redirected } from '../answer/upstream-failures.ts';
import { badGateway, type StatusError } from '../kube/errors.ts';
import type { UpgradeProtocol } from '../listener/exchange.ts';
import { type RawHeaders, withoutHeaders } from '../listener/headers.ts';
import { endToEndResponseHeaders } from '../upstream/hop-by-hop.ts';
import type { Upstream } from '../upstream/upstream.ts';

type Named = Pick<Upstream, 'name'>;

/** Bytes of a refusal; a Status has a few hundred. */
const MAX_BODY = 256 * 1024;

/** An answer that is neither the switch that was asked for nor an error to be passed on. */
export function refusalOf(upstream: Named, status: number, protocol: UpgradeProtocol): StatusError {
  if (status === 401) return credentialsRefused(upstream);
  if (status >= 300 && status < 400) return redirected(upstream);
  if (status === 101) return badGateway(`${upstream.name} switched to another protocol than ${protocol}`);
  return badGateway(`${upstream.name} answered ${status} instead of switching to ${protocol}`);
}

export interface Refusal {
  readonly headers: RawHeaders;
  readonly body: Buffer;
}

/** An error's whole answer. Rejects with a StatusError when it does not end, or is too large to be a Status. */
export async function readRefusal(response: IncomingMessage, upstream: Named): Promise<Refusal> {
  const body = await bodyOf(response, upstream);
  const headers = forwardedResponseHeaders(endToEndResponseHeaders(response.rawHeaders));
  return { headers: withoutHeaders(headers, name => name === 'content-length'), body };
}

/** With listeners of its own: the library has one that reads, too. */
function bodyOf(response: IncomingMessage, { name }: Named): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY) reject(badGateway(`${name} refused to upgrade, with an answer of more than ${MAX_BODY} bytes`));
      else chunks.push(chunk);
    });
    response.once('end', () => resolve(Buffer.concat(chunks)));
    response.once('error', cause => reject(badGateway(`${name} broke its answer off`, cause)));
    response.once('close', () => reject(badGateway(`${name} broke its answer off`)));
  });
}
