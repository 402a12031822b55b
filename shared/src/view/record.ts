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
  const json = JSON.stringify(record);
  return [RECORD_HEADER, IN_ASCII.test(json) ? json : json.replace(/[^\x20-\x7e]/g, escaped)];
}

const IN_ASCII = /^[\x20-\x7e]*$/;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const KEYS = ['view', 'cluster', 'verb', 'resource', 'because'] as const satisfies readonly (keyof RequestRecord)[];
const MAX_TEXT = 2_048;

/** Records remembered by their text, and how long that may be: much the same requests come again and again. The first that was seen goes first. */
const MAX_REMEMBERED = 512;
const MAX_REMEMBERED_TEXT = 1_024;
const remembered = new Map<string, RequestRecord>();

/** What of it is a record: a service may be anybody's, and what it says goes into our log. Not to be changed. */
export function readRecordHeader(headers: RawHeaders): Readonly<RequestRecord> | undefined {
  const value = headerValue(headers, RECORD_HEADER);
  if (value === undefined) return undefined;
  const known = remembered.get(value);
  if (known !== undefined) return known;
  const record = recordOf(value);
  if (value.length > MAX_REMEMBERED_TEXT) return record;
  for (const oldest of remembered.keys()) {
    if (remembered.size < MAX_REMEMBERED) break;
    remembered.delete(oldest);
  }
  remembered.set(value, Object.freeze(record));
  return record;
}

function recordOf(value: string): RequestRecord {
  const given = parsed(value);
  const record: RequestRecord = {};
  for (const key of KEYS) {
    const text = given?.[key];
    if (typeof text === 'string') record[key] = text.slice(0, MAX_TEXT);
  }
  return record;
}

function parsed(value: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(value);
    return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    // No record is no reason to keep the answer from the client.
    return undefined;
  }
}
