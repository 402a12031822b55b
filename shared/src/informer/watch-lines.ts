/** A line that grew over the limit: the stream cannot be trusted any more. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

export interface LineSplitter {
  /** Calls back for every line that `chunk` completes, in order. Throws `LineTooLongError`. */
  push(chunk: Uint8Array): void;
}

const LINE_FEED = 0x0a;

/**
 * The lines of a byte stream. Bytes are split before they are decoded: a line feed never occurs inside a UTF-8 sequence, but chunks
 * end anywhere. What follows the last line feed is never delivered: a stream cut there was cut inside an event.
 */
export function createLineSplitter(maxBytes: number, onLine: (line: string) => void): LineSplitter {
  let parts: Uint8Array[] = [];
  let length = 0;

  const keep = (bytes: Uint8Array): void => {
    length += bytes.length;
    if (length > maxBytes) {
      parts = [];
      throw new LineTooLongError(`a line of the stream is longer than ${maxBytes} bytes`);
    }
    if (bytes.length > 0) parts.push(bytes);
  };

  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        keep(chunk.subarray(start, end));
        const line = Buffer.concat(parts).toString('utf8');
        parts = [];
        length = 0;
        start = end + 1;
        if (line.trim() !== '') onLine(line);
      }
      keep(chunk.subarray(start));
    },
  };
}
