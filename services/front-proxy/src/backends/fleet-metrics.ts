import { SERVICES } from '@kcp-vw/shared/config/options.ts';
import { Gauge, type Registry } from 'prom-client';
import type { AddressSource } from '../addresses/addresses.ts';
import { serviceOf } from '../registry/judged-endpoints.ts';
import type { RegisteredAddresses } from '../registry/registered-addresses.ts';
import type { Backends } from './backends.ts';

export interface FleetMetricsOptions {
  readonly register: Registry;
  readonly source: Pick<AddressSource, 'views'>;
  readonly backends: Pick<Backends, 'all'>;
  /** Absent: no registry is used. `undefined` of it: it is not connected yet. */
  readonly registered?: (() => Pick<RegisteredAddresses, 'synced' | 'reports'> | undefined) | undefined;
}

const STATES = ['in_force', 'refused', 'expired'] as const;
const OTHER = 'other';

/** Without the shard that tells the processes of a service apart. */
const labelOf = (service: string): string => {
  const [name = ''] = service.split('@', 1);
  return Object.hasOwn(SERVICES, name) ? name : OTHER;
};

/** Shows, at each scrape, which services can be used and what became of the registered endpoints. Services of others are one: they may be many. */
export function fleetMetrics({ register, source, backends, registered }: FleetMetricsOptions): void {
  const registers = [register];
  new Gauge({
    name: 'proxy_backend_available',
    help: '1 when a process of the service is ready.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.reset();
      // A service without any process is not available either.
      const available = new Map(source.views().map(view => [labelOf(serviceOf(view)), false]));
      for (const { address, ready } of backends.all()) {
        const backend = labelOf(address.service);
        available.set(backend, ready || available.get(backend) === true);
      }
      for (const [backend, isAvailable] of available) this.set({ backend }, Number(isAvailable));
    },
  });
  if (registered === undefined) return;
  new Gauge({
    name: 'proxy_registry_synced',
    help: '1 when the registered views have been read.',
    registers,
    collect() {
      this.set(Number(registered()?.synced() ?? false));
    },
  });
  new Gauge({
    name: 'proxy_endpoints',
    help: 'Registered endpoints by what became of them.',
    labelNames: ['state'],
    registers,
    collect() {
      const states = (registered()?.reports() ?? []).flatMap(({ endpoints }) =>
        endpoints.map(one => ('refusal' in one ? 'refused' : one.isAlive ? 'in_force' : 'expired')),
      );
      for (const state of STATES) this.set({ state }, states.filter(one => one === state).length);
    },
  });
}
