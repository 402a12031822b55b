import { timingSafeEqual } from 'node:crypto';
import { type FileWatch, watchFiles } from '../config/files.ts';
import { type Identity, identity } from './identity.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';
import { digestOf } from './token-digest.ts';

/** Every request with a token is compared with all of them. */
const MAX_TOKENS = 1_000;

export interface TokenFile extends TokenAuthenticator {
  /** Looks at the file now. */
  check(): Promise<void>;
  close(): void;
}

export interface TokenFileOptions {
  /** A changed file cannot be used; what was read before stays in use. */
  readonly onError: (error: Error) => void;
  /** Milliseconds between two looks at the file. */
  readonly intervalMs?: number;
}

interface Entry {
  readonly digest: Buffer;
  readonly user: Identity;
}

/**
 * Users by the tokens of a file, `token,user,uid,"group1,group2"` in each line (RFC 4180), as Kubernetes' `--token-auth-file`; unlike there
 * it is read again when it changes. Throws with a message that names the file and the line, and never what stands in it.
 */
export function loadTokenFile(file: string, { onError, intervalMs }: TokenFileOptions): TokenFile {
  const watch: FileWatch = watchFiles(
    [file],
    contents => {
      entries = read(file, contents.get(file)?.toString() ?? '');
    },
    { ...(intervalMs !== undefined && { intervalMs }), onError },
  );
  let entries: readonly Entry[];
  try {
    entries = read(file, watch.contents.get(file)?.toString() ?? '');
  } catch (error) {
    watch.close();
    throw error;
  }
  return {
    async authenticate(token) {
      const digest = digestOf(token);
      // All of them, the right one or not: how long it takes tells nothing about how near a guess was.
      return entries.filter(entry => timingSafeEqual(entry.digest, digest))[0]?.user;
    },
    check: () => watch.check(),
    close: () => watch.close(),
  };
}

function read(file: string, text: string): readonly Entry[] {
  const entries = new Map<string, Entry>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line === '') return;
    const wrong = (what: string): Error => new Error(`${file}, line ${index + 1}: ${what}`);
    const [token = '', name = '', uid, groups = ''] = fieldsOf(line) ?? [];
    if (uid === undefined) throw wrong('token,user,uid,"group1,group2" is expected, the groups may be absent');
    if (token === '' || name === '') throw wrong('the token or the user is empty');
    const entry = { digest: digestOf(token), user: identity(name, groups.split(',').filter(Boolean), uid) };
    const key = entry.digest.toString('base64');
    if (entries.has(key)) throw wrong('the token stands in another line too');
    entries.set(key, entry);
  });
  if (entries.size > MAX_TOKENS)
    throw new Error(`${file} has more than ${MAX_TOKENS} tokens: use --oidc-* or --authentication-kubeconfig`);
  return [...entries.values()];
}

const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The fields of a line; undefined when its quotes are not in order. A field does not go over several lines. */
function fieldsOf(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  const field = new RegExp(FIELD);
  for (;;) {
    const match = field.exec(line);
    if (match === null) return undefined;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return fields;
  }
}
