/** The process that is measured: an index, filled, and the view on it. Its parent tells it what to change. */
import { setImmediate as turn } from 'node:timers/promises';
import { createWorkspaceIndex } from '@kcp-vw/workspaces-vw/index/workspace-index.ts';
import { createFeed, type SyntheticFeed } from './feed.ts';
import { grown, memoryNow } from './memory.ts';
import type { Command, Done, Filled, Reply, ServerOptions, Write } from './protocol.ts';
import { serveIndex } from './serve.ts';
import { ACCESS_ROLE, World } from './world.ts';

/** Subjects of each further binding. */
const FURTHER = 5;
/** Of the index, unless it is told otherwise. */
const KEPT_EVENTS = 16_384;

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error('it is started by the benchmark, with what it is to hold');
const { size, socketPath } = JSON.parse(given) as ServerOptions;
const world = new World(size);
const index = createWorkspaceIndex();
const feed = createFeed(world, index);

function send(reply: Reply): void {
  process.send?.(reply);
}

async function fill(): Promise<Filled> {
  const empty = await memoryNow();
  // No value of it stays with this function, which goes on.
  const held = { loaded: feed.load() as ReturnType<SyntheticFeed['load']> | undefined };
  const { milliseconds, text } = held.loaded as ReturnType<SyntheticFeed['load']>;
  const withFeed = grown(empty, await memoryNow());
  held.loaded = undefined;
  const alone = await memoryNow();
  const { edges, workspaces } = index.stats();

  // What the index keeps of the last changes, for those who resume, is not counted as what more edges need.
  for (let event = 0; event < KEPT_EVENTS; event += 2 * size.workspaces) {
    bindFurther();
    unbindFurther();
  }
  const before = (await memoryNow()).heap;
  const began = performance.now();
  bindFurther();
  const took = performance.now() - began;
  const more = (await memoryNow()).heap - before;
  const further = { edges: index.stats().edges - edges, heap: more, milliseconds: took };
  unbindFurther();
  const left = (await memoryNow()).heap - before;
  return { milliseconds, text, workspaces, edges, index: grown(empty, alone), withFeed, further, left };
}

function bindFurther(): void {
  const subjectsOf = (child: number): string[] =>
    Array.from({ length: FURTHER }, (_, at) => `u:further-${(child * FURTHER + at) % 1_000}`);
  feed.bindEach('further', ACCESS_ROLE, subjectsOf);
}

const unbindFurther = (): void => feed.bindEach('further', ACCESS_ROLE, undefined);

async function carryOut(command: Command): Promise<Reply> {
  switch (command.do) {
    case 'write':
      return { done: write(command.writes) };
    case 'burst':
      return { done: await burst(command) };
    case 'measure': {
      const memory = await memoryNow();
      return { measured: { memory, followers: index.stats().followers } };
    }
    case 'account': {
      return { cpu: cpuNow() };
    }
  }
}

const cpuNow = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Begins to count; what is returned says what it was since. */
function counting(): () => Done {
  const cpu = cpuNow();
  const began = process.hrtime.bigint();
  return () => ({ began: String(began), took: Number(process.hrtime.bigint() - began) / 1e6, cpu: cpuNow() - cpu });
}

function write(writes: readonly Write[]): Done {
  const prepared = writes.map(feed.prepare);
  const done = counting();
  for (const takeIn of prepared) takeIn();
  return done();
}

async function burst({ count, index: child, revision }: Extract<Command, { readonly do: 'burst' }>): Promise<Done> {
  const prepared = Array.from({ length: count }, (_, at) => feed.prepare({ renew: [child], revision: revision + at }));
  const done = counting();
  for (const takeIn of prepared) {
    takeIn();
    await turn();
  }
  return done();
}

process.on('message', (command: Command) => {
  carryOut(command).then(send, (error: unknown) =>
    send({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
// Its parent has gone.
process.on('disconnect', () => process.exit(0));

const filled = await fill();
await serveIndex(index, socketPath);
send({ filled });
