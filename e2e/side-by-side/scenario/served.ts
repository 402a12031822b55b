import { eventually } from '../../support/eventually.ts';
import type { Asker } from '../ask.ts';
import type { Row } from '../row.ts';

interface Wanted {
  readonly row: Row;
  /** So many items have to be in the list. */
  readonly items: number;
}

const core = (resource: string): string => `/clusters/*/api/v1/${resource}`;

/** Labels of claims come a moment after the objects, and servers learn of exports a moment after the shard. */
const WANTED: readonly Wanted[] = [
  { row: { name: 'cowboys', path: '/clusters/*/apis/wild.bench.dev/v1/cowboys' }, items: 6 },
  { row: { name: 'ranches', path: '/clusters/*/apis/wild.bench.dev/v1alpha1/ranches' }, items: 3 },
  // Four of the first consumer, kube-root-ca.crt of each namespace among them, and two of the second.
  { row: { name: 'configmaps', path: core('configmaps') }, items: 7 },
  { row: { name: 'secrets', path: core('secrets') }, items: 1 },
  { row: { name: 'service accounts', path: core('serviceaccounts') }, items: 1 },
  { row: { name: 'events', path: core('events') }, items: 1 },
  { row: { name: 'leases', path: '/clusters/*/apis/coordination.k8s.io/v1/leases' }, items: 1 },
  { row: { name: 'sheriffs', path: '/clusters/*/apis/law.bench.dev/v1alpha1/sheriffs' }, items: 1 },
  { row: { name: 'deputies', user: 'masters', path: '/clusters/*/apis/law.bench.dev/v1alpha1/deputies' }, items: 1 },
  { row: { name: 'sheep', view: 'tame', path: '/clusters/*/apis/tame.bench.dev/v1alpha1/sheep' }, items: 1 },
  { row: { name: 'bindings', view: 'tame', path: '/clusters/*/apis/apis.kcp.io/v1alpha2/apibindings' }, items: 2 },
];

const countIn = (body: unknown): number => {
  const items = typeof body === 'object' && body !== null && 'items' in body ? body.items : undefined;
  return Array.isArray(items) ? items.length : -1;
};

/**
 * Waits until kcp's server shows what the scenario has made. Ours is waited for as long, and compared as it is: what it never shows is a
 * difference.
 */
export async function untilServed(asker: Asker): Promise<void> {
  for (const { items, row } of WANTED) {
    await eventually(`that kcp shows ${items} ${row.name}`, async () => {
      const [{ body, status }] = await asker.ask(row);
      if (countIn(body) < items) throw new Error(`it answers ${status}: ${JSON.stringify(body)?.slice(0, 2000)}`);
    });
  }
}
