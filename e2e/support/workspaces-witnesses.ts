/** Who looks at the view of workspaces all the time, and remembers what was wrong. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Credentials } from './client.ts';
import { target } from './identities.ts';
import type { List, Workspace } from './kube.ts';
import type { Watch } from './watch.ts';
import { EVERYWHERE, namesIn, ROADS, type Road, viewOfWorkspaces, WORKSPACES } from './workspaces-view.ts';

const [root, second = root] = target.shards;
const POLL_MS = 100;

/** All ways to the view, and the view of the second shard, which is other processes. */
export const WAYS: readonly Road[] = [
  ...ROADS,
  { road: 'the view of the second shard', to: (who, parent) => viewOfWorkspaces(who, parent, second) },
];

/** Asks for a parent all the time, by all roads, and remembers what was neither right nor an honest refusal. */
export class Poll {
  readonly wrong: string[] = [];
  readonly refusals = new Map<string, number>();
  answers = 0;
  readonly #workers: readonly Promise<void>[];
  #stopped = false;

  /** `parents` with the names that are the truth as long as it asks. */
  constructor(caller: Credentials, parents: readonly { readonly parent: string; readonly names: readonly string[] }[]) {
    this.#workers = WAYS.flatMap(({ road, to }) =>
      parents
        .filter(({ parent }) => parent !== EVERYWHERE || road !== "kcp's front proxy")
        .map(({ parent, names }) => this.#work(road, to(caller, parent), parent, names)),
    );
  }

  async #work(road: string, client: Client, parent: string, names: readonly string[]): Promise<void> {
    while (!this.#stopped) {
      const said = await this.#ask(client, parent, names);
      this.answers += 1;
      if (said !== undefined) this.wrong.push(`${road}, ${parent}: ${said}`);
      await sleep(POLL_MS);
    }
  }

  /** What is wrong with the answer. */
  async #ask(client: Client, parent: string, names: readonly string[]): Promise<string | undefined> {
    const reply = await client.get(WORKSPACES).catch((error: unknown) => String(error));
    if (typeof reply === 'string') return reply;
    const { status, headers, text } = reply;
    if (status === 503 && headers['retry-after'] !== undefined) {
      this.refusals.set(parent, (this.refusals.get(parent) ?? 0) + 1);
      return undefined;
    }
    if (status !== 200) return `${status}: ${text.slice(0, 300)}`;
    const shown = namesIn(JSON.parse(text) as List<Workspace>);
    return shown.join() === names.join() ? undefined : `shown ${shown.join()}, not ${names.join()}`;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }
}

/** What an informer knows: it lists, watches on from there, and begins again when it is told to. */
export class Follower {
  readonly known = new Map<string, Workspace>();
  /** How often it had to begin again. */
  lists = 0;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(client: Client) {
    this.#running = this.#run(client);
  }

  async #run(client: Client): Promise<void> {
    let version: string | undefined;
    while (!this.#stopped) {
      version = version === undefined ? await this.#list(client) : await this.#watch(client, version);
      if (version === undefined) await sleep(POLL_MS);
    }
  }

  async #list(client: Client): Promise<string | undefined> {
    const reply = (await client.get(WORKSPACES)).expect(200, 503);
    if (reply.status === 503) return undefined;
    const { items, metadata } = reply.json<List<Workspace>>();
    this.known.clear();
    for (const item of items) this.known.set(item.metadata.name, item);
    this.lists += 1;
    return metadata.resourceVersion;
  }

  /** Resolves with the version to go on from; undefined: it has to list. */
  async #watch(client: Client, from: string): Promise<string | undefined> {
    const watch = await client.watch(`${WORKSPACES}?resourceVersion=${from}&allowWatchBookmarks=true`).catch(() => undefined);
    // It could not be opened now; what is known stays.
    if (watch === undefined) return sleep(POLL_MS, from);
    let version: string | undefined = from;
    for (let next = 0; !this.#stopped && version !== undefined; ) {
      const event = watch.events[next++];
      if (event === undefined) {
        next -= 1;
        if (watch.ended) break;
        await sleep(20);
        continue;
      }
      version = this.#apply(event);
    }
    watch.close();
    return version;
  }

  #apply({ type, object }: Watch['events'][number]): string | undefined {
    if (type === 'ERROR') return undefined;
    const { name = '', resourceVersion } = object.metadata ?? {};
    if (type === 'DELETED') this.known.delete(name);
    else if (type !== 'BOOKMARK') this.known.set(name, object as Workspace);
    return resourceVersion;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}
