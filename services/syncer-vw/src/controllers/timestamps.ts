import { kubernetesTime } from '../transform/deletion-time.ts';

/** An RFC 3339 timestamp in milliseconds since the epoch, whole seconds; undefined for what is none. */
export function parseTimestamp(text: string): number | undefined {
  const time = kubernetesTime(text);
  return time === undefined ? undefined : Date.parse(time);
}

/** As Kubernetes writes them: in UTC, whole seconds. */
export const formatTimestamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+/, '');
