import { isIP } from 'node:net';

/** Why the program does not start: one sentence for a person at a terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a flag's text becomes. Durations are milliseconds, sizes are bytes. */
export interface ValueTypes {
  text: string;
  file: string;
  bool: boolean;
  count: number;
  port: number;
  number: number;
  ip: string;
  /** A Go duration: `1m30s`. */
  duration: number;
  /** A Go duration, or a plain number of seconds. */
  seconds: number;
  bytes: number;
  list: readonly string[];
}

export type ValueType = keyof ValueTypes;
export type Value = ValueTypes[ValueType];

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration (`time.ParseDuration`); undefined if it is none. Negative ones mean nothing to any of our flags. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^\+?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    milliseconds += Number(amount) * (DURATION_UNITS[unit ?? ''] ?? Number.NaN);
  }
  return milliseconds;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Bytes of a Kubernetes quantity (`3Mi`, `1K`, `512`). */
function parseBytes(text: string): number | undefined {
  const match = /^(\d+)(k|K|M|G|Ki|Mi|Gi)?$/.exec(text);
  return match ? Number(match[1]) * (BYTE_UNITS[match[2] ?? ''] ?? Number.NaN) : undefined;
}

/** One line of CSV, as pflag reads a string slice: an entry with a comma in it (a certificate's name may have one) is quoted. */
function parseList(text: string): readonly string[] | undefined {
  if (text === '') return [];
  const entries: string[] = [];
  const entry = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let more = true; more; ) {
    const match = entry.exec(text);
    if (!match) return undefined;
    const value = match[1]?.replaceAll('""', '"') ?? match[2] ?? '';
    if (value.trim() === '') return undefined;
    entries.push(value);
    more = match[3] === ',';
  }
  return entries;
}

function parseInteger(text: string, max: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value <= max ? value : undefined;
}

/** The spellings of Go's `strconv.ParseBool`. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map(text => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map(text => [text, false] as const),
]);

/** The reader of each type (undefined: not such a value), and how its values look, for messages and help. */
const TYPES: {
  readonly [T in ValueType]: { readonly shape: string; readonly parse: (text: string) => ValueTypes[T] | undefined };
} = {
  text: { shape: 'a text', parse: text => text },
  file: { shape: 'the path of a file', parse: text => (text.includes('\0') ? undefined : text) },
  bool: { shape: 'true or false', parse: text => BOOLEANS.get(text) },
  count: { shape: 'a whole number', parse: text => parseInteger(text, 2 ** 31 - 1) },
  port: { shape: 'a port, 0 to 65535', parse: text => parseInteger(text, 65_535) },
  number: { shape: 'a number', parse: text => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined) },
  // A blank address is Kubernetes' other spelling of all interfaces.
  ip: { shape: 'an IP address', parse: text => (text === '' ? '0.0.0.0' : isIP(text) ? text : undefined) },
  duration: { shape: 'a duration such as 30s or 1m30s', parse: parseDuration },
  seconds: {
    shape: 'seconds, or a duration such as 30s or 1m30s',
    parse: text => (/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parseDuration(text)),
  },
  bytes: { shape: 'a size in bytes, such as 3145728 or 3Mi', parse: parseBytes },
  list: { shape: 'a comma-separated list without empty entries', parse: parseList },
};

export const shapeOf = (type: ValueType): string => TYPES[type].shape;

/** Throws a UsageError that names the flag as it was written. */
export function parseValue<T extends ValueType>(type: T, text: string, flag: string): ValueTypes[T] {
  const value = TYPES[type].parse(text);
  if (value === undefined) throw new UsageError(`${flag} takes ${shapeOf(type)}, not ${JSON.stringify(text)}`);
  return value;
}
