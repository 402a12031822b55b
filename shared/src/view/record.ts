import type { RawHeaders } from '../listener/headers.ts';
import { headerValue } from '../listener/headers.ts';

/**
 * What one request turned out to be, filled in by the stages as they know it, for the audit line and for `explain`.
 * Nothing is decided by it.
 */
export interface RequestRecord {
  view?: string;
  /** Logical cluster name or `*`. */
  cluster?: string;
  verb?: string;
  /** `group/resource/subresource`, empty parts left out. */
  resource?: string;
  /** Why it was allowed or refused, and by which rule. */
  because?: string;
}

/** The service tells the front proxy on the inner hop; the front proxy never lets it out. */
export const RECORD_HEADER = 'x-kcp-vw-record';

/** The record as one header: JSON in ASCII. */
export function recordHeader(record: RequestRecord): RawHeaders {
  const json = JSON.stringify(record).replace(/[^\x20-\x7e]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [RECORD_HEADER, json];
}

export function readRecordHeader(headers: RawHeaders): RequestRecord | undefined {
  const value = headerValue(headers, RECORD_HEADER);
  return value === undefined ? undefined : (JSON.parse(value) as RequestRecord);
}
