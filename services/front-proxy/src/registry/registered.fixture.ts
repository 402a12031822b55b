/** Test equipment: what is registered in a fake registry, as a front proxy sees it that allows `*.example`. */
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import type { VirtualWorkspaceEndpoint } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { parseAllowedEndpoints } from '../endpoints/allowed-endpoints.ts';
import type { Judgement } from './judged-endpoints.ts';
import { type RegisteredAddresses, registeredAddresses } from './registered-addresses.ts';
import type { FakeRegistry } from './registry.fixture.ts';

export const CA = createAuthority({ commonName: 'fleet' }).certPem;

export const JUDGEMENT: Judgement = { allowed: parseAllowedEndpoints(['*.example'], '--allowed-endpoints'), servicesCA: CA };

export const endpoint = (instance: string, more: Partial<VirtualWorkspaceEndpoint> = {}): VirtualWorkspaceEndpoint => ({
  instance,
  url: `https://${instance}.example:6443`,
  ready: true,
  ...more,
});

/** With leases of 15 seconds, and the clock of the registry. Errors are collected in `errors`. */
export const registeredFrom = (
  { registry, clock }: FakeRegistry,
  errors: string[],
  judgement: () => Judgement = () => JUDGEMENT,
): RegisteredAddresses =>
  registeredAddresses({ registry, judgement, leaseSeconds: 15, clock, onError: error => errors.push(error.message) });

/** Undefined: there is no such view. */
export const instancesOf = (source: RegisteredAddresses, view = 'v'): readonly string[] | undefined =>
  source.addressesOf(view)?.map(({ instance }) => instance);
