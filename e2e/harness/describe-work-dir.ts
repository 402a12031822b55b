import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardDescription, TargetDescription } from '../target.ts';
import { opsPortOf, opsURLs, type Plan, shardName, startedCommand } from './plan.ts';

/** The tokens of the CSV file that kcp's test servers start their shards with. */
const USER_TOKENS = Object.fromEntries([1, 2, 3, 4, 5].map(number => [`user-${number}`, `user-${number}-token`]));

/** Describes the servers that `sharded-test-server` has started in `workDir` to the tests. */
export function describeWorkDir(workDir: string, plan: Plan, count = 1): TargetDescription {
  const { implementation, name } = plan;
  const pair = (...path: string[]) => {
    const stem = join(workDir, ...path);
    return { certificate: `${stem}.crt`, key: `${stem}.key` };
  };
  const describeShard = (shard: number): ShardDescription => ({
    name: shardName(shard),
    shardURL: `https://127.0.0.1:${6444 + shard}`,
    virtualWorkspaceURL: `https://127.0.0.1:${7444 + shard}`,
    masters: pair(`.kcp-${shard}`, 'shard-client-cert'),
    mastersToken: shardAdminToken(join(workDir, `.kcp-${shard}`, 'admin.kubeconfig')),
    ...(implementation === 'kcp-vw' &&
      (shard === 0 || plan.sets === 'each') && { command: startedCommand(workDir, shard), ops: opsURLs(plan, opsPortOf(shard)) }),
  });
  const root = describeShard(0);
  const { name: _name, ...rootFields } = root;
  return {
    implementation,
    name: `${name}${count > 1 ? ` on ${count} shards` : ''}`,
    frontProxyURL: 'https://127.0.0.1:6443',
    ...rootFields,
    servingAuthority: join(workDir, '.kcp', 'serving-ca.crt'),
    clientAuthority: pair('.kcp', 'client-ca'),
    requestHeaderAuthority: pair('.kcp', 'requestheader-ca'),
    requestHeaderName: 'kcp-front-proxy',
    admin: pair('.kcp', 'kcp-admin'),
    serviceAccountKey: join(workDir, '.kcp', 'service-account.crt'),
    userTokens: USER_TOKENS,
    shards: [root, ...Array.from({ length: count - 1 }, (_, i) => describeShard(i + 1))],
  };
}

/** The token of the user `shard-admin` in the kubeconfig that a shard writes for its administrator. */
function shardAdminToken(kubeconfig: string): string {
  // The file is written by client-go, always in this shape; a YAML parser for one line of it would be a dependency of its own.
  const found = /^- name: shard-admin\n {2}user:\n {4}token: (\S+)$/m.exec(readFileSync(kubeconfig, 'utf8'));
  if (found?.[1] === undefined) throw new Error(`${kubeconfig} holds no token of the user shard-admin`);
  return found[1];
}
