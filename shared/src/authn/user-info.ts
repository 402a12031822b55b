import { type Identity, identity } from './identity.ts';

/** `authentication.k8s.io/v1 UserInfo`, the form of an identity in JSON. */
export interface UserInfo {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const toUserInfo = ({ name, uid, groups, extra }: Identity): UserInfo => ({ username: name, uid, groups, extra });

/** The identity in a UserInfo; undefined when it is none. Absent and null fields are empty ones, as in Go. */
export function fromUserInfo(value: unknown): Identity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Partial<Record<keyof UserInfo, unknown>>;
  const username = fields.username ?? '';
  const uid = fields.uid ?? '';
  const groups = fields.groups ?? [];
  const extra = fields.extra ?? {};
  if (typeof username !== 'string' || typeof uid !== 'string' || !isStrings(groups) || typeof extra !== 'object')
    return undefined;
  const entries = Object.entries(extra).map(([key, values]: [string, unknown]) => [key, values ?? []] as const);
  if (!entries.every((entry): entry is readonly [string, string[]] => isStrings(entry[1]))) return undefined;
  return identity(username, groups, uid, Object.fromEntries(entries));
}

const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(item => typeof item === 'string');
