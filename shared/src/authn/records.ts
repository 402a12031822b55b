/** Whether a value of JSON is an object. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The text that an object has under a name of its own; undefined for anything else. */
export function textOf(value: unknown, name: string): string | undefined {
  const text = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return typeof text === 'string' ? text : undefined;
}
