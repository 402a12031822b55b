/**
 * Raw header lists: `[name, value, name, value, …]`, in the order received, repeated names kept apart.
 *
 * Objects keyed by name are not used on the data path: they join repeated `X-Remote-Group` lines with commas, and a group may
 * contain a comma.
 */
export type RawHeaders = readonly string[];

const NO_VALUES: readonly string[] = [];

/** Every value of `name` (lower case), in order. */
export function headerValues(headers: RawHeaders, name: string): readonly string[] {
  let values: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    values ??= [];
    values.push(headers[i + 1] as string);
  }
  return values ?? NO_VALUES;
}

/** The first value of `name` (lower case), or undefined. */
export function headerValue(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1] as string;
  }
  return undefined;
}

/**
 * Names to be looked for in lists of headers, in any case. Most names of a list are told apart from all of these by their length, so
 * that no copy in lower case has to be made; each list is looked through several times on its way.
 */
export class HeaderNames {
  readonly #names: ReadonlySet<string>;
  readonly #lengths: readonly boolean[];

  /** `names` in lower case. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    const longest = Math.max(0, ...names.map(({ length }) => length));
    this.#lengths = Array.from({ length: longest + 1 }, (_, length) => names.some(name => name.length === length));
  }

  has(name: string): boolean {
    return this.#lengths[name.length] === true && this.#names.has(name.toLowerCase());
  }
}

/** The list without the headers of these names; the same list when it has none of them. */
export function withoutNames(headers: RawHeaders, names: HeaderNames): RawHeaders {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (names.has(headers[i] as string)) return withoutHeaders(headers, name => names.has(name));
  }
  return headers;
}

/** The list without the headers whose lower-case name `drop` accepts. */
export function withoutHeaders(headers: RawHeaders, drop: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!drop(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

/** The list with only the headers whose lower-case name `keep` accepts. */
export function onlyHeaders(headers: RawHeaders, keep: (lowerCaseName: string) => boolean): string[] {
  return withoutHeaders(headers, name => !keep(name));
}
