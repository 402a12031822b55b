import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { COMPUTE, installSyncing, kubeconfigOf } from '../support/syncing-install.ts';
import type { KeyPairFiles } from '../target.ts';
import { type Plan, syncerKubeconfig } from './plan.ts';

/** A start of kcp and of all that is made in it, milliseconds. */
const PATIENCE = 180_000;

export interface AdminAccess {
  readonly frontProxyURL: string;
  /** PEM file that verifies it. */
  readonly servingAuthority: string;
  /** kcp-admin; the files may come later. */
  readonly admin: KeyPairFiles;
}

/**
 * Gives syncer-vw the account that it waits for, if the plan has it serve: in a workspace that the shard makes ready only by way of the
 * virtual workspaces, which have to run by then. So this goes on while servers start, and they must not wait for it.
 */
export async function giveSyncerAccount(plan: Plan, workDir: string, access: AdminAccess): Promise<void> {
  const file = syncerKubeconfig(plan, workDir);
  if (file === undefined) return;
  const { frontProxyURL } = access;
  const { authority, keyPair } = await eventually('the files of kcp-admin', async () => readAccess(access), PATIENCE);
  const account = await installSyncing(new Client(frontProxyURL, authority, { name: 'kcp-admin', keyPair }), PATIENCE);
  writeFileSync(`${file}.new`, kubeconfigOf(`${frontProxyURL}/clusters/${COMPUTE}`, authority, account), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function readAccess({ servingAuthority, admin }: AdminAccess) {
  const [authority, certificate, key] = [servingAuthority, admin.certificate, admin.key].map(file => readFileSync(file, 'utf8'));
  if (!authority || !certificate || !key) throw new Error(`${servingAuthority} and those of kcp-admin are not written yet`);
  return { authority, keyPair: { certificate, key } };
}

/** Waits until syncer-vw, wherever it has an ops server of its own, has what it needs. */
export async function untilSyncerReady(shards: readonly { readonly ops?: Readonly<Record<string, string>> }[]): Promise<void> {
  const urls = shards.flatMap(({ ops }) => ops?.['syncer-vw'] ?? []);
  for (const url of urls) {
    await eventually(`readiness of syncer-vw at ${url}`, async () => {
      const response = await fetch(`${url}/readyz?verbose`);
      if (!response.ok) throw new Error(await response.text());
      await response.body?.cancel();
    });
  }
}

/** kcp-admin's files beside kcp's test server. */
export const adminOfTestServer = (workDir: string): AdminAccess => ({
  frontProxyURL: 'https://127.0.0.1:6443',
  servingAuthority: join(workDir, '.kcp', 'serving-ca.crt'),
  admin: { certificate: join(workDir, '.kcp', 'kcp-admin.crt'), key: join(workDir, '.kcp', 'kcp-admin.key') },
});
