import { internalError } from '../kube/errors.ts';
import { INITIAL_EVENTS_END, type WatchEvent } from '../kube/objects.ts';

/** Well above the largest object that a shard stores (etcd's limit is 1.5 MiB, JSON of it a few times that). */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Maps the bytes of a watch stream in JSON to the same without the bookmark that ends the initial events: the client has been told already
 * that there are none. What follows the bookmark passes as it comes. Throws a StatusError 500 for an event that does not end.
 */
export function cutInitialEventsEnd(): (chunk: Uint8Array) => Uint8Array {
  let found = false;
  let begun: Uint8Array = new Uint8Array(0);
  return chunk => {
    if (found) return chunk;
    const bytes = Buffer.concat([begun, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      found = endsInitialEvents(bytes.toString('utf8', start, end));
      if (found) return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end + 1)]);
      start = end + 1;
    }
    begun = bytes.subarray(start);
    if (begun.length > MAX_EVENT_BYTES) throw internalError(`a watch event is longer than ${MAX_EVENT_BYTES} bytes`);
    return bytes.subarray(0, start);
  };
}

/** Also of a Table or of metadata; an object that says the same of itself is not a bookmark. */
const endsInitialEvents = (line: string): boolean =>
  line.includes(INITIAL_EVENTS_END) && (JSON.parse(line) as WatchEvent).type === 'BOOKMARK';
