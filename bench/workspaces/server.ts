/** The process that is measured: an index, filled, and the view on it. Its parent tells it what to change. */
import { setImmediate as turn } from 'node:timers/promises';
import { createWorkspaceIndex } from '@kcp-vw/workspaces-vw/index/workspace-index.ts';
import { createFeed, type SyntheticFeed } from './feed.ts';
import { grown, memoryNow } from './memory.ts';
import type { Command, Done, Filled, Reply, ServerOptions } from './protocol.ts';
import { serveIndex } from './serve.ts';
import { ACCESS_ROLE, World } from './world.ts';

const FURTHER = 5;

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

  const began = performance.now();
  feed.bindEach('further', ACCESS_ROLE, child =>
    Array.from({ length: FURTHER }, (_, at) => `u:further-${(child * FURTHER + at) % 1_000}`),
  );
  const took = performance.now() - began;
  const more = await memoryNow();
  const further = { edges: index.stats().edges - edges, heap: more.heap - alone.heap, milliseconds: took };
  feed.bindEach('further', ACCESS_ROLE, undefined);
  const left = (await memoryNow()).heap - alone.heap;
  return { milliseconds, text, workspaces, edges, index: grown(empty, alone), withFeed, further, left };
}

async function carryOut(command: Command): Promise<Reply> {
  switch (command.do) {
    case 'write':
      return {
        done: timed(() => {
          for (const write of command.writes) feed.write(write);
        }),
      };
    case 'burst':
      return { done: await burst(command) };
    case 'measure': {
      const memory = await memoryNow();
      return { measured: { memory, followers: index.stats().followers } };
    }
    case 'account': {
      const { user, system } = process.cpuUsage();
      return { cpu: (user + system) / 1_000 };
    }
  }
}

function timed(work: () => void): Done {
  const began = process.hrtime.bigint();
  work();
  return { began: String(began), took: Number(process.hrtime.bigint() - began) / 1e6 };
}

async function burst({ count, index: child, revision }: Extract<Command, { readonly do: 'burst' }>): Promise<Done> {
  const began = String(process.hrtime.bigint());
  let took = 0;
  for (let at = 0; at < count; at += 1) {
    took += timed(() => feed.write({ renew: [child], revision: revision + at })).took;
    await turn();
  }
  return { began, took };
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
