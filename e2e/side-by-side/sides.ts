import { readFileSync } from 'node:fs';
import { target } from '../support/identities.ts';
import { Connection } from './exchange.ts';
import type { UserName } from './row.ts';
import type { User } from './scenario/users.ts';

/** One of the two servers that are compared. */
export interface Side {
  readonly name: string;
  /** Base URL without a path. */
  readonly url: string;
}

/** The sides that `servers.ts` has noted in the file that `E2E_TARGET` names. */
export function readSides(): readonly [Side, Side] {
  const file = process.env.E2E_TARGET;
  if (file === undefined) throw new Error('E2E_TARGET names no description; start the comparison with `npm run side-by-side`');
  const { sides } = JSON.parse(readFileSync(file, 'utf8')) as { sides?: readonly [Side, Side] };
  if (sides === undefined) throw new Error(`${file} describes no two sides`);
  return sides;
}

/** Kept connections to one side, one set for each user. */
export class Connections {
  readonly #url: string;
  readonly #users: Readonly<Record<UserName, User>>;
  readonly #open = new Map<UserName, Connection>();

  constructor({ url }: Side, users: Readonly<Record<UserName, User>>) {
    this.#url = url;
    this.#users = users;
  }

  of(name: UserName): Connection {
    const connection = this.#open.get(name) ?? new Connection(this.#url, target.servingAuthority, this.#users[name].credentials);
    this.#open.set(name, connection);
    return connection;
  }

  close(): void {
    for (const connection of this.#open.values()) connection.close();
  }
}
