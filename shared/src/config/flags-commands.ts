import type { Command } from './flags-table.ts';
import { UsageError } from './flags-values.ts';
import { type Options, SERVICES } from './options.ts';

/** What a command cannot do without, beyond what every one needs. Throws a UsageError. */
export function requireFor(command: Command, options: Options): void {
  if (command === 'up') requireIdentities(options);
  if (command === 'serve') requireTrust(options);
  if (command === 'front-proxy') requireAddresses(options);
  if (command !== 'serve') requireServiceAccess(options, command);
}

function requireIdentities({ services, syncerKubeconfig }: Options): void {
  if (syncerKubeconfig !== undefined) return;
  const lacking = services.find(name => SERVICES[name]?.ownIdentity);
  if (lacking !== undefined) {
    throw new UsageError(
      `--syncer-kubeconfig is required for ${lacking}: credentials of its own, which kcp-vw workload install writes`,
    );
  }
}

/** Whom a service takes the identity of its callers from: without both, any certificate of some authority could be anybody. */
function requireTrust({ requestHeader }: Options): void {
  if (!requestHeader.clientCAFile) {
    throw new UsageError('--requestheader-client-ca-file is required: the authority that certifies the front proxy');
  }
  if (requestHeader.allowedNames.length === 0) {
    throw new UsageError('--requestheader-allowed-names is required: the common name in the certificate of the front proxy');
  }
}

function requireAddresses({ addressesFile, authenticationKubeconfig, kubeconfig, registration }: Options): void {
  if (addressesFile === undefined && registration.kubeconfig === undefined && kubeconfig === '') {
    throw new UsageError(
      '--addresses, --registration-kubeconfig or --kubeconfig is required: a file, or the workspace, that says where the services are',
    );
  }
  if (authenticationKubeconfig === undefined && kubeconfig === '') {
    throw new UsageError('--authentication-kubeconfig is required, or --kubeconfig: where tokens are reviewed');
  }
}

/** With what services are reached by URL. What is registered brings its authorities with it, what stands in a file does not. */
function requireServiceAccess(
  { serviceAccess: { certFile, keyFile, caFile }, registration, addressesFile }: Options,
  command: Command,
): void {
  const files = [certFile, keyFile, ...(addressesFile === undefined && caFile === undefined ? [] : [caFile])];
  if (files.some(file => file === undefined) && files.some(file => file !== undefined)) {
    throw new UsageError('--services-ca-file, --proxy-client-cert-file and --proxy-client-key-file are needed together');
  }
  const isRegistered = registration.kubeconfig !== undefined || (command === 'front-proxy' && addressesFile === undefined);
  if (isRegistered && certFile === undefined) {
    throw new UsageError('--proxy-client-cert-file and --proxy-client-key-file are required: registered services ask for them');
  }
}
