import { readFileSync } from 'node:fs';
import type { Authority, KeyPair } from './support/certificates.ts';

/** Whose virtual workspaces answer: kcp's own Go binary is the baseline that the shared tests must agree with. */
export type Implementation = 'kcp-vw' | 'kcp-go';

/** Paths of PEM files. */
export interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A shard, and the virtual workspaces that serve it. */
export interface ShardDescription {
  /** `root`, `shard-1`, …: the value of its label `name`, too. */
  readonly name: string;
  /** Base URLs without a path. */
  readonly shardURL: string;
  readonly virtualWorkspaceURL: string;
  /** A certificate in the group `system:masters`, honoured by the shard and by the virtual workspaces. */
  readonly masters: KeyPairFiles;
  /** A bearer token in the group `system:masters`, honoured by the shard alone. */
  readonly mastersToken: string;
  /** Base URLs of the ops servers of our own processes, by process name: `front-proxy`. */
  readonly ops?: Readonly<Record<string, string>>;
  /** Executable and parameters of the virtual workspaces under test, when they are ours. */
  readonly command?: readonly string[];
}

/**
 * What a test needs to know about the servers it talks to, as it stands in the JSON file that `E2E_TARGET` names.
 * It says nothing about kcp's files or processes, so that whatever behaves like a kcp can be described by it.
 */
export interface TargetDescription extends Omit<ShardDescription, 'name'> {
  readonly implementation: Implementation;
  /** Shown in the names of the tests, e.g. `fleet`. */
  readonly name: string;
  readonly frontProxyURL: string;
  /** A front proxy of kcp that maps `/services/` to the root shard, as kcp-operator has it. */
  readonly servicesFrontProxyURL?: string;
  /** A front proxy of kcp that leads to the view `workspaces` when a workspace is asked for its workspaces; absent: nothing serves it. */
  readonly transparentFrontProxyURL?: string;
  /** A front proxy of kcp that leads to shards alone: what kcp itself says. Absent: `frontProxyURL` is one. */
  readonly plainFrontProxyURL?: string;
  /** PEM file that verifies all servers. */
  readonly servingAuthority: string;
  /** Signs client certificates: CN is the user, every O a group. */
  readonly clientAuthority: KeyPairFiles;
  /** Signs the certificates of proxies whose `X-Remote-*` headers count. */
  readonly requestHeaderAuthority: KeyPairFiles;
  /** The common name that such a proxy's certificate carries. */
  readonly requestHeaderName: string;
  /** PEM file with the key that all shards sign tokens of service accounts with; absent where it is a secret that they share. */
  readonly serviceAccountKey?: string;
  /** The process of kcp's test server, where that has started the shards. */
  readonly testServerPid?: number;
  /** Cluster-admin of every workspace, through the front proxy. */
  readonly admin: KeyPairFiles;
  /** False: server-side apply stores without recording who owns which field, as the dev shard does. */
  readonly recordsFieldManagers?: boolean;
  /** Bearer tokens of the users without rights, `user-1` to `user-5`, by user name. */
  readonly userTokens: Readonly<Record<string, string>>;
  /** All shards, the root shard first, whose fields are those above. */
  readonly shards: readonly [ShardDescription, ...ShardDescription[]];
}

/** The description with its files read. */
export interface Target
  extends Omit<
    TargetDescription,
    'servingAuthority' | 'clientAuthority' | 'requestHeaderAuthority' | 'admin' | 'masters' | 'shards'
  > {
  readonly servingAuthority: string;
  readonly clientAuthority: Authority;
  readonly requestHeaderAuthority: Authority;
  readonly admin: KeyPair;
  readonly masters: KeyPair;
  readonly shards: readonly [TargetShard, ...TargetShard[]];
}

export interface TargetShard extends Omit<ShardDescription, 'masters'> {
  readonly masters: KeyPair;
}

function readKeyPair(files: KeyPairFiles): KeyPair {
  return { certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') };
}

const readShard = (shard: ShardDescription): TargetShard => ({ ...shard, masters: readKeyPair(shard.masters) });

/** Reads the description that `E2E_TARGET` names. Throws when the variable or one of the files is missing. */
export function loadTarget(): Target {
  const file = process.env.E2E_TARGET;
  if (file === undefined) throw new Error('E2E_TARGET names no description of a target; start the tests with `npm run e2e:kcp`');
  const description = JSON.parse(readFileSync(file, 'utf8')) as TargetDescription;
  const [first, ...others] = description.shards;
  return {
    ...description,
    servingAuthority: readFileSync(description.servingAuthority, 'utf8'),
    clientAuthority: readKeyPair(description.clientAuthority),
    requestHeaderAuthority: readKeyPair(description.requestHeaderAuthority),
    admin: readKeyPair(description.admin),
    masters: readKeyPair(description.masters),
    shards: [readShard(first), ...others.map(readShard)],
  };
}
