import { badRequest } from '../kube/errors.ts';
import { hasEncodedSlash, type Target } from './target.ts';

/**
 * Refuses (400) a slash that is percent-encoded where the path says what is asked for: `/api%2Fv1/secrets` is one path to those who
 * decode before they split, and another to the rest. In an object's name and behind it the bytes are the shard's to read.
 */
export function refuseEncodedStructure({ segments }: Target): void {
  const encoded = segments.findIndex(hasEncodedSlash);
  if (encoded >= 0 && encoded < nameIndex(segments)) {
    throw badRequest('the request target is not accepted: it has an encoded slash before the name of an object');
  }
}

/** Where the name of an object stands: `/api/v1/[namespaces/<ns>/]<resource>/<name>`, one more segment for a named group. */
function nameIndex(segments: readonly string[]): number {
  const resource = segments[0] === 'api' ? 2 : 3;
  const isNamespaced = segments[resource] === 'namespaces' && segments.length > resource + 2;
  return resource + (isNamespaced ? 3 : 1);
}
