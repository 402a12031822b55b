import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SocketAddress } from '@kcp-vw/front-proxy/addresses/addresses.ts';
import { parseFlags } from '@kcp-vw/shared/config/flags.ts';
import { createLogger } from '@kcp-vw/shared/observe/log.ts';
import type { RestartPolicy } from './child.ts';
import { createFakePrograms, type FakePrograms, isRunning, until, WELL_BEHAVED } from './fake-programs.ts';
import { type Fleet, type Program, startFleet } from './supervisor.ts';

describe('the fleet', () => {
  let programs: FakePrograms;
  let folder: string;
  let fleet: Fleet | undefined;
  let lines: Record<string, unknown>[];
  beforeEach(() => {
    programs = createFakePrograms();
    folder = mkdtempSync(join(tmpdir(), 'fleet-'));
    lines = [];
  });
  afterEach(async () => {
    fleet?.kill();
    await fleet?.ended;
    fleet = undefined;
    programs.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(services: readonly Program[], frontProxy?: Program, restart?: RestartPolicy, ...flags: string[]): Fleet {
    fleet = startFleet({
      options: parseFlags(['--kubeconfig=x', ...flags]),
      services,
      frontProxy: frontProxy ?? programs.program('front-proxy', WELL_BEHAVED),
      folder,
      log: createLogger({ name: 'test', verbosity: 2, destination: { write: line => void lines.push(JSON.parse(line)) } }),
      ...(restart && { restart }),
    });
    return fleet;
  }
  const addresses = (): Record<string, SocketAddress[]> =>
    (JSON.parse(readFileSync(join(folder, 'addresses.json'), 'utf8')) as { views: Record<string, SocketAddress[]> }).views;
  const addressOf = (view: string): SocketAddress | undefined => addresses()[view]?.[0];
  const delays = (): unknown[] => lines.flatMap(({ restartInMs }) => restartInMs ?? []);

  test('knows the expected views before anything is up, and then where each is served', async () => {
    start([programs.program('a-vw', WELL_BEHAVED, ['one', 'two'])]);
    expect(addresses()).toEqual({ one: [], two: [] });
    const address = await until(() => addressOf('one'), 'a listens');
    expect(address).toEqual({ service: 'a-vw', instance: expect.stringMatching(/^\d+$/), socketPath: join(folder, 'a-vw.sock') });
    expect(addressOf('two')).toEqual(address);
    await until(() => lines.some(({ msg }) => msg === 'every process is ready'), 'all are ready');
  });

  test('tells each program its configuration and its sockets', async () => {
    const body = `note(process.argv.slice(2).join(' ')); self.listening('x'); self.onTerminate(async () => {}); setInterval(() => {}, 1e6);`;
    start([programs.program('a-vw', body)], programs.program('front-proxy', body), undefined, '--ops-port=9000');
    const [front, service] = await until(() => programs.notes().length === 2 && programs.notes().sort(), 'both started');
    expect(front).toBe(`--options=${folder}/options.json --addresses=${folder}/addresses.json --ops=127.0.0.1:9000`);
    expect(service).toBe(`--options=${folder}/options.json --socket=${folder}/a-vw.sock --ops=127.0.0.1:9001`);
    expect(JSON.parse(readFileSync(join(folder, 'options.json'), 'utf8'))).toEqual(
      parseFlags(['--kubeconfig=x', '--ops-port=9000']),
    );
  });

  test('runs a service once for each shard, each with its own configuration, sockets and restarts', async () => {
    const ofShard = (shard: string): Program => ({
      ...programs.program('a-vw', `note(process.argv.slice(2).join(' ')); ${WELL_BEHAVED}`, ['one']),
      name: `a-vw@${shard}`,
      shard,
      options: parseFlags([`--kubeconfig=${shard}.kubeconfig`]),
    });
    start([ofShard('root'), ofShard('shard-1')], undefined, { first: 300, max: 300, stable: 1e6 }, '--ops-port=9000');
    const both = await until(() => addresses().one?.length === 2 && addresses().one, 'both listen');
    const byShard = new Map(both.map(address => [address.shard, address]));
    for (const [index, shard] of ['root', 'shard-1'].entries()) {
      const [options, socket] = [`${folder}/a-vw@${shard}.options.json`, `${folder}/a-vw@${shard}.sock`];
      expect(programs.notes()).toContain(`--options=${options} --socket=${socket} --ops=127.0.0.1:${9001 + index}`);
      expect(JSON.parse(readFileSync(options, 'utf8'))).toMatchObject({ kubeconfig: `${shard}.kubeconfig` });
      expect(byShard.get(shard)).toMatchObject({ service: `a-vw@${shard}`, socketPath: socket });
      expect(lines).toContainEqual(expect.objectContaining({ msg: 'started', service: `a-vw@${shard}` }));
    }

    const killed = byShard.get('shard-1') as SocketAddress;
    process.kill(Number(killed.instance), 'SIGKILL');
    await until(() => addresses().one?.length === 1, 'its address is gone');
    expect(addressOf('one')).toEqual(byShard.get('root'));
    await until(() => addresses().one?.length === 2, 'it listens again');
    expect(addresses().one?.find(({ shard }) => shard === 'shard-1')?.instance).not.toBe(killed.instance);
  });

  test('starts a killed service again: its address goes and comes back with the new process', async () => {
    start([programs.program('a-vw', WELL_BEHAVED, ['one'])], undefined, { first: 300, max: 300, stable: 1e6 });
    const pid = Number((await until(() => addressOf('one'), 'a listens')).instance);
    process.kill(pid, 'SIGKILL');
    await until(() => addresses().one?.length === 0, 'the address is gone');
    // The dead process left its socket's file; the new one could not listen if it were still there.
    const again = await until(() => addressOf('one'), 'a listens again');
    expect(again.instance).not.toBe(String(pid));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'ended unexpectedly', how: 'SIGKILL', service: 'a-vw' }));
  });

  test('waits longer and longer before it starts a program that keeps failing', async () => {
    start([programs.program('a-vw', 'process.exit(3)')], undefined, { first: 10, max: 40, stable: 1e6 });
    await until(() => delays().length >= 5, 'five failures');
    expect(delays().slice(0, 5)).toEqual([10, 20, 40, 40, 40]);
    expect(lines).toContainEqual(expect.objectContaining({ how: 'exit code 3' }));
  });

  test('waits shortly again after a program has run for a while', async () => {
    start([programs.program('a-vw', 'process.exit(3)')], undefined, { first: 10, max: 40, stable: 0 });
    await until(() => delays().length >= 3, 'three failures');
    expect(delays().slice(0, 3)).toEqual([10, 10, 10]);
  });

  test('says what a program waits for, once', async () => {
    const body = `for (let i = 0; i < 5; i++) self.waiting('shard root'); self.waiting('cache'); setInterval(() => {}, 1e6);`;
    start([programs.program('a-vw', body)]);
    await until(() => lines.some(({ msg }) => msg === 'waiting for cache'), 'it waits');
    expect(lines.filter(({ msg }) => msg === 'waiting for shard root')).toHaveLength(1);
  });

  test.each([
    [
      'a configuration error',
      `self.guard(async () => { process.exitCode = 78; process.exit(); })`,
      'a-vw refuses its configuration',
    ],
    [
      'a taken port',
      `self.guard(() => new Promise((_, reject) => {
         const taken = createServer().listen(0, '127.0.0.1', () => {
           createServer().listen(taken.address().port, '127.0.0.1').on('error', reject);
         });
       }))`,
      /^cannot listen on port \d+ of 127\.0\.0\.1: it is in use by another process$/,
    ],
    ['a sentence', `self.guard(async () => { throw new Error('the kubeconfig is no good'); })`, 'the kubeconfig is no good'],
  ])('ends as a whole when a program cannot start: %s', async (_, body, sentence) => {
    start([programs.program('a-vw', body), programs.program('b-vw', WELL_BEHAVED)]);
    const end = await fleet?.ended;
    expect(end).toEqual({
      reason: 'fatal',
      sentence: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
    });
    for (const { child } of lines) if (typeof child === 'number') expect(isRunning(child)).toBe(false);
  });

  test('starts a program again whose sentence comes after it has been up: the reason may pass', async () => {
    const body = `
      self.listening(arg('socket'), views);
      note('up');
      setTimeout(() => self.guard(async () => { throw new Error('the disk is full'); }), 50);`;
    start([programs.program('a-vw', body, ['one'])], undefined, { first: 10, max: 10, stable: 1e6 });
    await until(() => programs.notes().filter(note => note === 'up').length >= 2, 'it was started again');
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'ended unexpectedly', said: 'the disk is full' }));
  });

  test('drains the front proxy before the services that it needs, and is then gone', async () => {
    const slow = WELL_BEHAVED.replace(
      'async () => note',
      'async () => { await new Promise(r => setTimeout(r, 300)); note',
    ).replace(/\);$/, '; });');
    start([programs.program('a-vw', WELL_BEHAVED, ['one'])], programs.program('front-proxy', slow));
    const pid = Number((await until(() => addressOf('one'), 'a listens')).instance);
    await until(() => programs.notes().length === 2, 'both are up');
    fleet?.stop();
    expect(await fleet?.ended).toEqual({ reason: 'stopped' });
    expect(programs.notes().slice(2)).toEqual(['drained front-proxy.mjs', 'drained a-vw.mjs']);
    expect(isRunning(pid)).toBe(false);
  });

  test('stops while a program waits for its next start', async () => {
    start([programs.program('a-vw', 'process.exit(3)')], undefined, { first: 1e6, max: 1e6, stable: 1e6 });
    await until(() => delays().length === 1, 'it failed');
    fleet?.stop();
    expect(await fleet?.ended).toEqual({ reason: 'stopped' });
  });

  test('can be ended at once, whatever a program does about it', async () => {
    start([programs.program('a-vw', `process.on('SIGTERM', () => {}); note(pid); for (;;);`)]);
    const pid = Number(await until(() => programs.notes().find(note => /^\d+$/.test(note)), 'it blocks'));
    fleet?.kill();
    expect(await fleet?.ended).toEqual({ reason: 'stopped' });
    expect(isRunning(pid)).toBe(false);
  });
});
