import { randomBytes } from 'node:crypto';
import type { TokenUser } from './kcp/authentication.ts';
import { readIfThere, type WorkFolder, writeIfOther } from './work-folder.ts';

/** The tokens that one shard alone knows. */
export interface ShardTokens {
  /** Of the user `shard-admin`, in `system:masters`. */
  readonly masters: string;
  /** Of the user `kcp-admin`, in `system:kcp:admin`. */
  readonly admin: string;
}

/** Users without rights, as kcp's test servers have them. */
export const USERS: readonly TokenUser[] = [1, 2, 3, 4, 5].map(number => ({
  token: `user-${number}-token`,
  name: `user-${number}`,
  uid: `${number}${number}${number}${number}`.concat(`-${number}${number}${number}${number}`.repeat(3)),
  groups: [`team-${number}`],
}));

/** The tokens of a shard: those that its folder holds, or new ones, which are kept there. */
export function openTokens(folder: WorkFolder, shardFolder: string): ShardTokens {
  const file = folder.file(`${shardFolder}tokens.json`);
  const known = readIfThere(file);
  if (known !== undefined) return JSON.parse(known) as ShardTokens;
  const token = (): string => randomBytes(24).toString('base64url');
  const made = { masters: token(), admin: token() };
  writeIfOther(file, `${JSON.stringify(made)}\n`);
  return made;
}

/** Everybody whom a shard knows by a token. */
export const tokenUsers = ({ masters, admin }: ShardTokens): readonly TokenUser[] => [
  ...USERS,
  { token: 'admin-token', name: 'admin', uid: '5555-5555-5555-5555', groups: ['system:masters'] },
  { token: masters, name: 'shard-admin', uid: 'shard-admin', groups: ['system:masters'] },
  { token: admin, name: 'kcp-admin', uid: 'kcp-admin', groups: ['system:kcp:admin'] },
];
