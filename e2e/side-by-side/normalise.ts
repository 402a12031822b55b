/** Makes answers comparable: what differs from call to call at one and the same server is replaced by what it is. */
import { gunzipSync } from 'node:zlib';
import { isProtobuf, readProtobufEnvelope } from '@kcp-vw/shared/kube/protobuf.ts';
import { CORE_SCHEMA, load } from 'js-yaml';
import type { Incoming } from './exchange.ts';
import { reduceOpenAPI } from './openapi.ts';

/** The headers that clients act on. Others are the server's own business (`Date`, `Audit-Id`, `Cache-Control`, flow control). */
const HEADERS = ['content-type', 'content-encoding', 'warning', 'retry-after', 'location', 'allow', 'www-authenticate'];

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, a list of watch events, or text. */
  readonly body: unknown;
  /** Only of an answer that did not end by itself in time. */
  readonly end?: string;
  readonly layout?: string;
  /** What the shard holds afterwards. */
  readonly stored?: unknown;
  /** The pages after the first. */
  readonly further?: readonly Answer[];
}

export interface NormaliseOptions {
  /** Names that only one side has, and what stands for them. */
  readonly own: ReadonlyMap<string, string>;
  readonly isWatch: boolean;
  readonly layout: boolean;
  /** The items of a list are sorted. */
  readonly unordered: boolean;
}

export function normalise({ body: sent, end, headers, status }: Incoming, options: NormaliseOptions): Answer {
  const body = headers['content-encoding'] === 'gzip' && end === 'complete' ? gunzipSync(sent) : sent;
  const found = HEADERS.flatMap(name => {
    const value = headers[name];
    return value === undefined ? [] : [[name, ownReplaced(String(value), options.own)]];
  });
  const text = ownReplaced(body.toString('utf8'), options.own);
  const type = String(headers['content-type'] ?? '');
  const normalised = normaliseBody(body, text, type, options.isWatch && status === 200);
  return {
    status,
    headers: Object.fromEntries(found),
    body: options.unordered ? sortedItems(normalised) : normalised,
    ...(end !== 'complete' && { end }),
    ...(options.layout && { layout: text.startsWith('{\n') ? 'indented' : 'compact' }),
  };
}

function ownReplaced(text: string, own: ReadonlyMap<string, string>): string {
  let replaced = text;
  for (const [name, stands] of own) replaced = replaced.replaceAll(name, stands);
  return replaced;
}

function normaliseBody(bytes: Buffer, text: string, type: string, isWatch: boolean): unknown {
  if (isProtobuf(bytes)) {
    const { apiVersion, kind } = readProtobufEnvelope(bytes);
    return `<protobuf ${apiVersion} ${kind}>`;
  }
  if (isWatch && type.includes('json')) return events(text);
  const parsed = type.includes('json') ? json(text) : type.includes('yaml') && !isWatch ? yaml(text) : undefined;
  if (parsed === undefined) return normaliseText(text);
  if (typeof parsed === 'object' && parsed !== null && 'openapi' in parsed) return reduceOpenAPI(parsed);
  return normaliseValue(parsed, '');
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Then it is compared as text, content type and all: a server may well send something else by mistake.
    return undefined;
  }
}

/** Compared by what it says: lists in YAML come in random order, too. */
function yaml(text: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch {
    return undefined;
  }
}

/** The events of a watch, and what is left of a line that was cut. */
function events(text: string): unknown[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => normaliseValue(json(line) ?? line, ''));
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** What an age looks like in a Table. */
const AGE = /^(\d+[smhdy])+$/;

function normaliseText(text: string): string {
  if (text.startsWith('# HELP ')) return '<metrics>';
  // Checks are reported in an order that each process has of its own.
  if (text.startsWith('[+]')) return text.split('\n').sort(compareTexts).join('\n');
  return (
    text
      .replace(TIME, '<time>')
      .replace(UID, '<uid>')
      .replace(/https?:\/\/127\.0\.0\.1:\d+/g, '<address>')
      .replace(/hash=[0-9A-Fa-f]+/g, 'hash=<hash>')
      .replace(/(resourceVersion: )"\d+"/g, '$1"<version>"')
      // Objects in messages are JSON in JSON.
      .replace(/(resourceVersion\\*":\\*")\d+/g, '$1<version>')
      .replace(/\bgenerated-[a-z0-9]{5}\b/g, 'generated-<random>')
      .replace(/(continue: )\S{20,}/g, '$1<token>')
      .replace(/resource version: \d+ \(\d+\)/g, 'resource version: <version>')
      .replace(/in record \(\d+\)/g, 'in record (<version>)')
      .replace(/current: \d+/g, 'current: <version>')
  );
}

/** Values by the name of their field. A value that is empty, absent or `0` says something and stays. */
const FIELDS: Readonly<Record<string, (value: string) => string>> = {
  resourceVersion: value => (/^[1-9]\d*$/.test(value) ? '<version>' : value),
  continue: value => (value.length > 20 ? '<token>' : value),
  serverAddress: () => '<address>',
  storageVersionHash: value => value,
};

function normaliseValue(value: unknown, field: string): unknown {
  if (typeof value === 'string') return FIELDS[field]?.(value) ?? normaliseText(value);
  if (Array.isArray(value)) return normaliseArray(value, field);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [normaliseText(name), normaliseValue(inner, name)] as const);
  // In the order of their names: arrays are sorted by their text.
  return Object.fromEntries(entries.sort(([one], [other]) => compareTexts(one, other)));
}

/** Arrays whose order is random in kcp's server, or that of the writes. */
const SORTED = new Set(['resources', 'groups', 'managedFields', 'paths']);

function normaliseArray(array: readonly unknown[], field: string): unknown[] {
  if (field === 'cells')
    return array.map(cell => (typeof cell === 'string' && AGE.test(cell) ? '<age>' : normaliseValue(cell, '')));
  const items = array.map(item => normaliseValue(item, ''));
  return SORTED.has(field) ? sortedByText(items) : items;
}

function sortedItems(list: unknown): unknown {
  if (typeof list !== 'object' || list === null) return list;
  const fields = Object.entries(list).map(([name, value]) => [
    name,
    LISTS.has(name) && Array.isArray(value) ? sortedByText(value) : value,
  ]);
  return Object.fromEntries(fields);
}

/** What the items are called in lists and in Tables. */
const LISTS = new Set(['items', 'rows']);

const sortedByText = (items: readonly unknown[]): unknown[] =>
  [...items].sort((one, other) => compareTexts(JSON.stringify(one), JSON.stringify(other)));

const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
