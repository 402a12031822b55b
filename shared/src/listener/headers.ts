/**
 * Raw header lists: `[name, value, name, value, …]`, in the order received, repeated names kept apart.
 *
 * Objects keyed by name are not used on the data path: they join repeated `X-Remote-Group` lines with commas, and a group may
 * contain a comma.
 */
export type RawHeaders = readonly string[];

/** Every value of `name` (lower case), in order. */
export function headerValues(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) values.push(headers[i + 1] as string);
  }
  return values;
}

/** The first value of `name` (lower case), or undefined. */
export function headerValue(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return headers[i + 1] as string;
  }
  return undefined;
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
