/**
 * What the front proxy and a service say to each other on a Unix socket of one host, for short requests without a body: HTTP's messages,
 * many at a time on one connection, in a form that neither side has to parse byte by byte (docs/adr/0018). A connection comes into being by
 * an HTTP/1.1 upgrade, so that whoever does not know this never meets it.
 */
export const FRAMES_PROTOCOL = 'kcp-vw-frames/1';

/** A frame: the length of its payload (4 bytes), its kind (1), the request that it is about (4), the payload. */
export const FRAME_HEADER = 9;

export const FRAME = {
  /** Method, target and headers, as `encodeFields` has them. */
  request: 1,
  /** Status and headers. */
  head: 2,
  data: 3,
  /** The answer is complete. */
  end: 4,
  /** The sender has given up the request, or its answer. */
  reset: 5,
  /** So many more bytes of the answer may be sent: 4 bytes. */
  window: 6,
  /** No further requests on this connection, of request 0. */
  goAway: 7,
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** Bytes of an answer that may be on their way to a reader that does not keep up. */
export const WINDOW = 256 * 1024;

/** Bytes of a payload but for data, which needs no limit: it is passed on as it comes. More than any limit of headers. */
export const MAX_PAYLOAD = 4 * 1024 * 1024;

/** As Node has it for values, and what stands between two fields. */
const NOT_OF_HTTP = /[^\t\n\x20-\x7e\x80-\xff]/;

class UnsendableError extends TypeError {
  /** As Node has it for the same. */
  readonly code = 'ERR_INVALID_CHAR';

  constructor() {
    super('a header holds a character that cannot be sent');
  }
}

/** Texts of HTTP, one character a byte. Throws a TypeError for what would not arrive as it is. */
export function encodeFields(fields: readonly string[]): string {
  for (const field of fields) if (field.includes('\n')) throw new UnsendableError();
  // One look at all of them costs less than one at each.
  const text = fields.join('\n');
  if (NOT_OF_HTTP.test(text)) throw new UnsendableError();
  return text;
}

export const decodeFields = (text: string): string[] => text.split('\n');
