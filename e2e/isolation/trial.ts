import type { KubeObject, List } from '../support/kube.ts';
import type { Reply } from '../support/reply.ts';
import { type Kind, kindOf, Oracle, type Question, type Stored } from './oracle.ts';
import { type BuiltWorld, NAMESPACE } from './server.ts';
import { type Labels, RESOURCES, type World } from './world.ts';

/** How long rights and labels may take to arrive. What is seen too early or too much counts at once. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 250;

/** Every namespace has it, and a shard makes it anew when it is deleted or changed. */
const KEPT_BY_SHARD = 'kube-root-ca.crt';

/** Asks one world everything, and compares with the oracle. Every question is one case. */
export class Trial {
  readonly #built: BuiltWorld;
  readonly #oracle: Oracle;
  readonly #world: World;
  readonly #stored = new Map<Kind, readonly Stored[]>();
  cases = 0;

  constructor(built: BuiltWorld) {
    this.#built = built;
    this.#world = built.world;
    this.#oracle = new Oracle(built.world);
  }

  async run(): Promise<void> {
    for (const kind of ['0', '1', 'configmaps', 'secrets'] as const) this.#stored.set(kind, await this.#built.stored(kind));
    for (const [exported] of this.#world.exports.entries()) {
      for (const [caller] of this.#world.callers.entries()) {
        for (const resource of RESOURCES) await this.#reads({ caller, exported, resource });
      }
    }
    for (const [exported] of this.#world.exports.entries()) {
      for (const [caller] of this.#world.callers.entries()) {
        for (const resource of RESOURCES) {
          for (const [consumer] of this.#world.consumers.entries()) await this.#writes({ caller, exported, resource, consumer });
        }
      }
    }
  }

  async #reads(of: Pick<Question, 'caller' | 'exported' | 'resource'>): Promise<void> {
    const consumers = [undefined, ...this.#world.consumers.keys()];
    for (const consumer of consumers) {
      const where = consumer === undefined ? of : { ...of, consumer };
      await this.#list({ ...where, verb: 'list' });
      await this.#watch({ ...where, verb: 'watch' });
      if (consumer === undefined) continue;
      for (const { name } of this.#there(of.exported, of.resource, consumer)) await this.#get({ ...where, verb: 'get' }, name);
    }
  }

  /** What has to be answered to a read of a collection: a status, and the objects that it shows. */
  #expectedList(question: Question): { readonly status: number; readonly names: readonly string[] } {
    const { exported, resource, consumer } = question;
    if (!this.#oracle.allows(question)) return { status: 403, names: [] };
    if (!this.#oracle.serves(exported, resource)) return { status: 404, names: [] };
    if (consumer !== undefined && !this.#isServedBy(exported, resource, consumer)) return { status: 404, names: [] };
    const asked = consumer === undefined ? this.#all(exported, resource) : this.#there(exported, resource, consumer);
    const shown = asked.filter(object => this.#oracle.sees(exported, resource, object));
    return { status: 200, names: shown.map(nameOf).sort() };
  }

  async #list(question: Question): Promise<void> {
    const { caller, exported, resource, consumer } = question;
    const expected = this.#expectedList(question);
    await this.#same(question, expected, async () => {
      const reply = await this.#built.view(caller, exported, consumer).get(this.#built.path(exported, resource, consumer));
      const { items = [] } = reply.status === 200 ? reply.json<List<KubeObject>>() : {};
      return { status: reply.status, names: items.map(object => this.#nameIn(object)).sort() };
    });
  }

  async #watch(question: Question): Promise<void> {
    const { caller, exported, resource, consumer } = question;
    const expected = this.#expectedList(question);
    const query = 'watch=true&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    await this.#same(question, expected, async () => {
      const path = `${this.#built.path(exported, resource, consumer)}?${query}`;
      const view = this.#built.view(caller, exported, consumer);
      if (expected.status !== 200) return { status: (await view.get(path)).status, names: [] };
      const watch = await view.watch(path.replace('watch=true&', '').replace('timeoutSeconds=1&', ''));
      await watch.until('the end of the initial events', ({ type }) => type === 'BOOKMARK');
      watch.close();
      const shown = watch.events.filter(({ type }) => type === 'ADDED').map(({ object }) => this.#nameIn(object));
      return { status: 200, names: shown.sort() };
    });
  }

  async #get(question: Question, name: string): Promise<void> {
    const { caller, exported, resource, consumer } = question;
    const object = this.#there(exported, resource, consumer).find(one => one.name === name);
    const isSeen = object !== undefined && this.#oracle.sees(exported, resource, object);
    const served = this.#oracle.serves(exported, resource);
    const status = !this.#oracle.allows(question) ? 403 : served && isSeen ? 200 : 404;
    await this.#same(question, { status, names: [] }, async () => {
      const path = `${this.#built.path(exported, resource, consumer)}/${name}`;
      return { status: (await this.#built.view(caller, exported, consumer).get(path)).status, names: [] };
    });
  }

  /** A create, a patch, a delete and a deletion of all, each followed by a look at everything that is stored. */
  async #writes(of: Omit<Question, 'verb'> & { readonly consumer: number }): Promise<void> {
    const { caller, exported, resource, consumer } = of;
    const kind = kindOf(exported, resource);
    const view = this.#built.view(caller, exported, consumer);
    const path = this.#built.path(exported, resource, consumer);
    const seed = caller + exported + consumer;
    const labels: Labels = [{}, { team: 'red' }, { team: 'blue', stage: 'live' }][seed % 3] ?? {};
    const hereNow = (): readonly Stored[] => this.#there(exported, resource, consumer);
    const changeTo = (objects: readonly Stored[]): readonly Stored[] => [
      ...this.#all(exported, resource).filter(one => one.consumer !== consumer || one.namespace !== NAMESPACE),
      ...objects,
    ];
    const can = (verb: Question['verb']): boolean =>
      this.#oracle.allows({ ...of, verb }) && this.#oracle.serves(exported, resource);
    const isThere = this.#isServedBy(exported, resource, consumer);

    const written = this.#oracle.written(exported, resource, consumer, labels);
    const name = `n${caller}${exported}${resource}`;
    await this.#write(
      { ...of, verb: 'create' },
      kind,
      () => view.post(path, this.#built.object(kind, name, labels)),
      () => {
        if (!can('create')) return { refused: true, after: this.#all(exported, resource) };
        if (!isThere || written === undefined) return { refused: true, after: this.#all(exported, resource) };
        return { refused: false, after: changeTo([...hereNow(), { consumer, namespace: NAMESPACE, name, labels: written }]) };
      },
    );

    const ours = (): readonly Stored[] => hereNow().filter(one => one.name !== KEPT_BY_SHARD);
    const [first] = ours();
    if (first !== undefined) {
      const patched = this.#oracle.written(exported, resource, consumer, { ...first.labels, ...labels });
      const patch = { metadata: { labels } };
      await this.#write(
        { ...of, verb: 'patch' },
        kind,
        () => view.mergePatch(`${path}/${first.name}`, patch),
        () => {
          const isRefused = !can('patch') || !this.#oracle.sees(exported, resource, first) || patched === undefined;
          if (isRefused) return { refused: true, after: this.#all(exported, resource) };
          return { refused: false, after: changeTo(hereNow().map(one => (one === first ? { ...first, labels: patched } : one))) };
        },
      );
    }

    const last = ours().at(-1);
    if (last !== undefined) {
      await this.#write(
        { ...of, verb: 'delete' },
        kind,
        () => view.delete(`${path}/${last.name}`),
        () => {
          if (!can('delete') || !this.#oracle.sees(exported, resource, last)) {
            return { refused: true, after: this.#all(exported, resource) };
          }
          return { refused: false, after: changeTo(hereNow().filter(one => one !== last)) };
        },
      );
    }

    await this.#write(
      { ...of, verb: 'deletecollection' },
      kind,
      () => view.delete(path),
      () => {
        if (!can('deletecollection') || !isThere) return { refused: true, after: this.#all(exported, resource) };
        return { refused: false, after: changeTo(hereNow().filter(one => !this.#oracle.sees(exported, resource, one))) };
      },
    );
  }

  async #write(
    question: Question,
    kind: Kind,
    send: () => Promise<Reply>,
    expect: () => { readonly refused: boolean; readonly after: readonly Stored[] },
  ): Promise<void> {
    this.cases += 1;
    const { refused, after } = expect();
    const reply = await send();
    if (reply.status >= 500 || reply.status >= 400 !== refused) {
      throw this.#surprise(question, refused ? 'a refusal' : 'success', `${reply.status} ${reply.text}`);
    }
    const stored = await this.#built.stored(kind);
    const text = (objects: readonly Stored[]): string =>
      JSON.stringify(
        objects
          .filter(({ name }) => name !== KEPT_BY_SHARD)
          .map(fullName)
          .sort(),
      );
    if (text(stored) !== text(after)) throw this.#surprise(question, text(after), text(stored));
    this.#stored.set(kind, stored);
  }

  async #same(
    question: Question,
    expected: { readonly status: number; readonly names: readonly string[] },
    ask: () => Promise<{ readonly status: number; readonly names: readonly string[] }>,
  ): Promise<void> {
    this.cases += 1;
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = await ask();
      if (JSON.stringify(found) === JSON.stringify(expected)) return;
      const isTooMuch =
        found.names.some(name => !expected.names.includes(name)) || (expected.status !== 200 && found.status === 200);
      if (isTooMuch || found.status >= 500 || Date.now() > deadline) {
        throw this.#surprise(question, JSON.stringify(expected), JSON.stringify(found));
      }
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
  }

  #surprise(question: Question, expected: string, found: string): Error {
    const world = JSON.stringify(this.#world, undefined, 1);
    return new Error(`${JSON.stringify(question)}\nexpected ${expected}\nfound    ${found}\nin the world ${world}`);
  }

  #all(exported: number, resource: Question['resource']): readonly Stored[] {
    return this.#stored.get(kindOf(exported, resource)) ?? [];
  }

  #there(exported: number, resource: Question['resource'], consumer: number | undefined): readonly Stored[] {
    return this.#all(exported, resource).filter(one => one.consumer === consumer && one.namespace === NAMESPACE);
  }

  /** Whether the logical cluster itself has the resource: those of exports only where it binds them. */
  #isServedBy(exported: number, resource: Question['resource'], consumer: number): boolean {
    const kind = kindOf(exported, resource);
    return kind === 'configmaps' || kind === 'secrets' || this.#world.consumers[consumer]?.bindings[Number(kind)] !== undefined;
  }

  #nameIn(object: KubeObject): string {
    const cluster = object.metadata?.annotations?.['kcp.io/cluster'] ?? '';
    const { namespace = '', name = '' } = object.metadata ?? {};
    return nameOf({ consumer: this.#built.consumerOf(cluster), namespace, name });
  }
}

const nameOf = ({ consumer, namespace, name }: Omit<Stored, 'labels'>): string => `${consumer}/${namespace}/${name}`;

const fullName = (object: Stored): string => `${nameOf(object)} ${JSON.stringify(Object.entries(object.labels).sort())}`;
