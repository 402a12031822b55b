/** Of ECMAScript 2026 (`JSON.parse` source text access), in Node 24 and not yet in TypeScript's library. */
interface JsonWithSource {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
}
const SOURCE_JSON = JSON as unknown as JsonWithSource;

/** Digits enough for a number that a double may not hold, where a number can stand: texts are full of hashes, uids and the like. */
const MAY_BE_INEXACT = /(?:^|[[:,\s])-?(?:[0-9]{16}|[0-9][0-9.]*[eE]\+?[0-9]{3})/;

/**
 * `JSON.parse`, but numbers that a double does not hold are kept with their digits, to be written again as they were: an int64 of
 * another's must not change on its way. Such a number is an opaque object. Throws a SyntaxError for what is no JSON.
 */
export function parseExact(text: string): unknown {
  if (!MAY_BE_INEXACT.test(text)) return JSON.parse(text);
  return SOURCE_JSON.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exactNumber(source) : value,
  );
}

/** The number of a JSON numeral; an integer that a double does not hold, or what is too large for one, as its digits. */
export function exactNumber(numeral: string): unknown {
  const value = Number(numeral);
  const exact = /^-?[0-9]+$/.test(numeral) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return exact ? value : SOURCE_JSON.rawJSON(numeral);
}

/** The digits of a number that a double does not hold, as `parseExact` gives them; undefined: it is something else. */
export const exactDigits = (value: unknown): string | undefined => (SOURCE_JSON.isRawJSON(value) ? value.rawJSON : undefined);
