const SIGNED_DECIMAL = /^[+-]?[0-9]+$/;

/** A decimal integer as Go's `strconv.ParseInt(text, 10, 64)` reads one; undefined where Go has an error. */
export function parseInt64(text: string): bigint | undefined {
  if (!SIGNED_DECIMAL.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
