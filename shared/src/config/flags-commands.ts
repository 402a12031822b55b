import type { Command } from './flags-table.ts';
import { UsageError } from './flags-values.ts';
import type { Options } from './options.ts';

/** What a command cannot do without, beyond what every one needs. Throws a UsageError. */
export function requireFor(command: Command, options: Options): void {
  if (command === 'serve') requireTrust(options);
  if (command === 'front-proxy') requireAddresses(options);
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

function requireAddresses({ addressesFile, authenticationKubeconfig, kubeconfig, serviceAccess }: Options): void {
  if (addressesFile === undefined) throw new UsageError('--addresses is required: the file that says where the services are');
  if (authenticationKubeconfig === undefined && kubeconfig === '') {
    throw new UsageError('--authentication-kubeconfig is required, or --kubeconfig: where tokens are reviewed');
  }
  const { caFile, certFile, keyFile } = serviceAccess;
  const given = [caFile, certFile, keyFile].filter(file => file !== undefined).length;
  if (given === 1 || given === 2) {
    throw new UsageError('--services-ca-file, --proxy-client-cert-file and --proxy-client-key-file are needed together');
  }
}
