/**
 * Makes what the containers of docker-compose.yml are started with: a folder for each, which holds no more than it needs. The masters'
 * credentials are with the service, not with the front proxy; no authority's key leaves the shard's folder, which the tests read.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createAuthority, type KeyPair } from '@kcp-vw/pki/pki.ts';

const SHARD = 'dev-shard';
const FRONT_PROXY = 'front-proxy';
/** What each service gets of the shard's folder: the kubeconfigs that it is started with. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  'apiexport-vw': ['virtual-workspaces.kubeconfig', 'cache.kubeconfig'],
  'initializer-vw': ['virtual-workspaces.kubeconfig', 'external-admin.kubeconfig'],
  // Its kubeconfig is made by workload-install, when there is a shard.
  'syncer-vw': [],
  'workspaces-vw': ['virtual-workspaces.kubeconfig', 'cache.kubeconfig'],
};

const { values } = parseArgs({ options: { folder: { type: 'string', default: '/certificates' } } });
const folderOf = (container: string): string => join(values.folder, container);
for (const container of [SHARD, FRONT_PROXY, ...Object.keys(SERVICES)]) mkdirSync(folderOf(container), { recursive: true });

function write(container: string, name: string, { certPem, keyPem }: KeyPair): void {
  writeFileSync(join(folderOf(container), `${name}.crt`), certPem);
  writeFileSync(join(folderOf(container), `${name}.key`), keyPem, { mode: 0o600 });
}

/** From the shard's folder, under a name that says what it is to the container. */
function hand(container: string, names: Readonly<Record<string, string>>): void {
  for (const [from, to] of Object.entries(names)) copyFileSync(join(folderOf(SHARD), from), join(folderOf(container), to));
}

const shard = fileURLToPath(new URL('../../dev/shard/src/main.ts', import.meta.url));
const parameters = [`--folder=${folderOf(SHARD)}`, `--host=${SHARD}`, `--san=${FRONT_PROXY}`, '--make-folder-only'];
execFileSync(process.execPath, [shard, ...parameters], { stdio: ['ignore', 'ignore', 'inherit'] });

hand(FRONT_PROXY, {
  'virtual-workspaces.crt': 'tls.crt',
  'virtual-workspaces.key': 'tls.key',
  'serving-ca.crt': 'serving-ca.crt',
  'client-ca.crt': 'client-ca.crt',
  'requestheader-ca.crt': 'requestheader-ca.crt',
  'authentication.kubeconfig': 'authentication.kubeconfig',
});

// The inner hop has an authority of its own, that no user's certificate comes from; its key is gone when this program ends. It is another
// one at each start: whoever still runs reads its files again.
const fleet = createAuthority({ commonName: 'fleet-ca' });
writeFileSync(join(folderOf(FRONT_PROXY), 'fleet-ca.crt'), fleet.certPem);
write(FRONT_PROXY, 'fleet-client', fleet.issue({ commonName: FRONT_PROXY, usage: 'client' }));
for (const [service, kubeconfigs] of Object.entries(SERVICES)) {
  writeFileSync(join(folderOf(service), 'fleet-ca.crt'), fleet.certPem);
  const sans = [`DNS:${service}`, 'DNS:localhost'];
  write(service, 'tls', fleet.issue({ commonName: service, usage: 'server', sans }));
  hand(service, Object.fromEntries(kubeconfigs.map(file => [file, file])));
}
process.stdout.write(`certificates and kubeconfigs are in ${values.folder}\n`);
