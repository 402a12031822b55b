import { readFileSync } from 'node:fs';
import { RegisteredFleet } from '@kcp-vw/e2e/harness/registered-fleet.ts';
import { eventually } from '@kcp-vw/e2e/support/eventually.ts';
import { environmentOf, OURS } from './ours.ts';
import type { RunningServer } from './server.ts';
import type { StartOptions } from './start.ts';

export interface RegisteredServer extends RunningServer {
  readonly port: number;
  /** The service's, beside the front proxy's. */
  readonly further: readonly number[];
}

/** A front proxy and one process of a service, joined by what the service says in an object's status, with mutual TLS between them. */
export async function startRegistered({ shard, workload, profileFolder }: StartOptions): Promise<RegisteredServer> {
  const { target, command } = shard;
  const read = (file: string): string => readFileSync(file, 'utf8');
  const fleet = new RegisteredFleet({
    service: workload.service,
    command: [OURS, ...command.slice(1)],
    frontProxyURL: target.frontProxyURL,
    servingAuthority: read(target.servingAuthority),
    admin: { certificate: read(target.admin.certificate), key: read(target.admin.key) },
    environment: environmentOf(profileFolder),
  });
  try {
    await fleet.start();
    const front = await fleet.startFrontProxy();
    const { process: service } = fleet.startInstance('bench');
    const masters = { certificate: read(target.masters.certificate), key: read(target.masters.key) };
    await eventually('the service behind the front proxy', async () =>
      (await fleet.at({ name: 'masters', keyPair: masters }).get(workload.served)).expect(200),
    );
    return { pid: front.pid ?? 0, further: [service.pid ?? 0], port: fleet.port, end: () => fleet.end() };
  } catch (error) {
    await fleet.end();
    throw error;
  }
}
