import { exactDigits } from '@kcp-vw/shared/kube/json-exact.ts';

export type JsonMap = Readonly<Record<string, unknown>>;

/** A number that keeps its digits is none. */
export const isMap = (value: unknown): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && exactDigits(value) === undefined;
