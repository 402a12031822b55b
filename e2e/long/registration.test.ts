/**
 * Services that say where they are in an object's status, and a front proxy that believes it: under steady load and many open watches everything
 * about them changes, and callers notice nothing but the answers that a killed process was giving.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Instance, RegisteredFleet } from '../harness/registered-fleet.ts';
import { startDecoy } from '../registration/decoy.ts';
import { Followers, WATCHES } from '../registration/followers.ts';
import { restartRootShard } from '../registration/root-shard.ts';
import { eventually } from '../support/eventually.ts';
import { bindExport, type CreatedExport, createExport } from '../support/exports.ts';
import { masters, target } from '../support/identities.ts';
import type { KubeObject, List } from '../support/kube.ts';
import { type Answered, SteadyLoad } from '../support/steady-load.ts';
import { adminIn, createParent, uniqueSuffix } from '../support/workspaces.ts';

const GROUP = `e2e-${uniqueSuffix()}.dev`;
const BEACONS = { group: GROUP, plural: 'beacons', kind: 'Beacon' };
const WORKERS = 8;
const BEAT_MS = 250;
const WORKSPACES = '/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces';
const describeOurs = target.command === undefined ? describe.skip : describe;
/** The last one: where there are several, the registry's shard is another than that of the objects. */
const shard = target.shards.findLast(({ command }) => command !== undefined) ?? target.shards[0];

interface Registered extends KubeObject {
  readonly status?: { readonly endpoints?: readonly { instance: string; url: string; ready: boolean }[] };
}

let fleet: RegisteredFleet;
let exported: CreatedExport;
let load: SteadyLoad;
let followers: Followers;
let beats: Beats;
const instances = new Map<string, Instance>();

/** An object that changes again and again, with a number that counts. */
class Beats {
  sent = 0;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(write: (number: number) => Promise<void>) {
    this.#running = this.#run(write);
  }

  async #run(write: (number: number) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      await write(this.sent + 1);
      this.sent++;
      await sleep(BEAT_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

const registered = async (): Promise<Registered> => (await adminIn('root').get(`${WORKSPACES}/apiexport`)).expect(200).json();
const endpoints = async () => (await registered()).status?.endpoints ?? [];

/** Waits until the entry says where the instance is, and for as long as the front proxy may take to notice. */
async function untilRegistered({ name, port }: Instance): Promise<void> {
  await eventually(`entry of ${name}`, async () => {
    const found = (await endpoints()).find(({ instance }) => instance === name);
    expect(found).toMatchObject({ url: `https://127.0.0.1:${port}`, ready: true });
  });
  await sleep(1_000);
}

async function start(name: string): Promise<Instance> {
  const instance = fleet.startInstance(name);
  instances.set(name, instance);
  await untilRegistered(instance);
  return instance;
}

async function stop(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<Instance> {
  const instance = instances.get(name) as Instance;
  const ended = once(instance.process, 'exit');
  instance.process.kill(signal);
  await ended;
  return instance;
}

const middleOf = (sorted: readonly number[]): number => Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);

/** What callers noticed since the last call. */
async function noticed(what: string): Promise<{ failures: Answered[]; gaps: number[]; refusals: string[] }> {
  await sleep(1_500);
  const asked = load.answers.length;
  const [failures, gaps, refusals] = [load.takeFailures(), followers.takeGaps(), followers.takeRefusals()];
  process.stdout.write(
    `${what}: ${failures.length} of ${asked} requests failed; ${gaps.length} times one of ${followers.count} watches was opened again, ` +
      `after ${middleOf(gaps)} ms in the middle and ${Math.round(gaps.at(-1) ?? 0)} ms at worst, ${refusals.length} tries refused\n`,
  );
  return { failures, gaps, refusals };
}

describeOurs('a fleet that is known by the status of objects', () => {
  beforeAll(async () => {
    exported = await createExport(await createParent(), { resources: [BEACONS] });
    const consumer = await createParent(shard.name);
    await bindExport(consumer, exported);
    const beacons = adminIn(consumer).at(`/apis/${GROUP}/v1/namespaces/default/beacons`);
    const beacon = { apiVersion: `${GROUP}/v1`, kind: 'Beacon', metadata: { name: 'beacon' }, spec: { number: 0 } };
    await eventually('the beacon', async () => (await beacons.post('', beacon)).expect(201));

    fleet = new RegisteredFleet({ ...target, service: 'apiexport-vw', command: shard.command ?? [], parameters: ['--v=2'] });
    await fleet.start();
    await fleet.startFrontProxy();
    await Promise.all([start('a'), start('b')]);

    const path = `/services/apiexport/${exported.cluster}/${exported.name}/clusters/*/apis/${GROUP}/v1/beacons`;
    const list = await eventually('a list', async () => (await fleet.at(masters).get(path)).expect(200));
    const { metadata } = list.json<List<KubeObject>>();
    const numberOf = (object: KubeObject): number => (object as { spec: { number: number } }).spec.number;
    followers = new Followers(WATCHES, {
      origin: `https://127.0.0.1:${fleet.port}`,
      credentials: masters,
      path,
      resourceVersion: metadata?.resourceVersion ?? '',
      numberOf,
    });
    await followers.open();
    load = new SteadyLoad(WORKERS, () => fleet.at(masters), path);
    beats = new Beats(async number => void (await beacons.mergePatch('/beacon', { spec: { number } })).expect(200));
    await noticed('the start');
  }, 240_000);

  afterAll(async () => {
    await beats?.stop();
    await load?.stop();
    followers?.stop();
    await fleet?.end();
  });

  /** Whatever happens: nobody waits for long, and what is said in between is not lost. */
  async function expectNothingNoticed(what: string, inFlight = 0): Promise<void> {
    const { failures, gaps } = await noticed(what);
    expect(failures.length).toBeLessThanOrEqual(inFlight);
    expect(gaps.filter(gap => gap >= 2_000)).toEqual([]);
  }

  test('an address that changes is followed, and the old one is not asked again', async () => {
    const { port } = await stop('b', 'SIGTERM');
    const decoy = await startDecoy(port, fleet.servingPair);
    const next = await start('b');
    expect(next.port).not.toBe(port);
    await expectNothingNoticed('a changed address');
    decoy.close();
    expect(decoy.requests).toEqual([]);
  });

  test('a process that is killed costs what was in flight in it', async () => {
    await stop('a', 'SIGKILL');
    await expectNothingNoticed('a killed process', WORKERS);
    await start('a');
    await expectNothingNoticed('its return');
  });

  test('an object that is deleted and made again gets its entries back', async () => {
    (await adminIn('root').delete(`${WORKSPACES}/apiexport`)).expect(200);
    await fleet.install();
    await eventually('both entries', async () => {
      const names = (await endpoints()).map(({ instance }) => instance);
      expect(names.sort()).toEqual(['a', 'b']);
    });
    await expectNothingNoticed('an object deleted and made again');
  });

  test('another authority takes over', async () => {
    await fleet.rotateAuthority([...instances.values()]);
    await expectNothingNoticed('another authority');
    const { port } = await stop('b', 'SIGTERM');
    const next = await start('b');
    expect(next.port).not.toBe(port);
    await expectNothingNoticed('a process that only the new one certifies');
  });

  (target.shards.length > 1 ? test : test.skip)(
    'the registry may be away, and is followed again when it is back',
    async () => {
      await restartRootShard();
      await expectNothingNoticed('the root shard restarted');
      await stop('a', 'SIGTERM');
      await start('a');
      await expectNothingNoticed('a changed address after that');
    },
    240_000,
  );

  test('no watch has lost or doubled a word', async () => {
    await beats.stop();
    const all = Array.from({ length: beats.sent }, (_, i) => i + 1);
    await eventually('the last beat everywhere', async () => {
      expect(followers.seen.filter(seen => seen.at(-1) !== beats.sent)).toHaveLength(0);
    });
    for (const seen of followers.seen) expect(seen.filter(number => number > 0)).toEqual(all);
  });
});
