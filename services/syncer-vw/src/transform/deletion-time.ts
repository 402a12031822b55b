const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * A timestamp as Kubernetes writes them (UTC, whole seconds); undefined for what Go's `time` does not read as RFC 3339, which
 * `Date.parse` alone does not tell: it takes the 30th of February for the 2nd of March, and 24:00 for the next day.
 */
export function kubernetesTime(text: string): string | undefined {
  const found = RFC3339.exec(text);
  if (!found) return undefined;
  const [, local = '', sign, hours = '0', minutes = '0'] = found;
  const at = Date.parse(`${local}Z`);
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, local.length) !== local) return undefined;
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(at - offset).toISOString().replace('.000Z', 'Z');
}
