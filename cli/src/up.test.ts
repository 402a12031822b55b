import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import { createFakePrograms, type FakePrograms, until, WELL_BEHAVED } from './fake-programs.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));

describe('kcp-vw', () => {
  let programs: FakePrograms;
  let temporary: string;
  let files: readonly string[];
  let script: string;
  const running: ChildProcess[] = [];

  beforeAll(() => {
    programs = createFakePrograms();
    temporary = mkdtempSync(join(tmpdir(), 'up-'));
    const { certPem, keyPem } = createAuthority({ commonName: 'ca' }).issue({ commonName: 'server', usage: 'server' });
    const paths = { kubeconfig: 'kind: Config', 'tls-cert-file': certPem, 'tls-private-key-file': keyPem };
    for (const [name, content] of Object.entries(paths)) writeFileSync(join(programs.folder, name), content);
    writeFileSync(join(programs.folder, 'shard-1.kubeconfig'), 'kind: Config');
    files = [...Object.keys(paths).map(name => `--${name}=${join(programs.folder, name)}`), '--bind-address=127.0.0.1'];

    programs.program('front-proxy', WELL_BEHAVED);
    programs.program('apiexport-vw', WELL_BEHAVED, ['apiexport']);
    programs.program('initializer-vw', WELL_BEHAVED, ['initializingworkspaces']);
    const single = join(programs.folder, 'single.mjs');
    writeFileSync(
      single,
      `export async function runSingle(options, hooks) {
         if (options.verbosity === 9) throw new Error('the kubeconfig is no good');
         hooks.waiting('shard root');
         const timer = setInterval(() => {}, 1000);
         hooks.onTerminate(async () => clearInterval(timer));
         hooks.listening('127.0.0.1:' + options.securePort, ['one']);
         hooks.ready();
       }`,
    );
    script = join(programs.folder, 'kcp-vw.mjs');
    const up = JSON.stringify(new URL('./up.ts', import.meta.url).href);
    const installation = `{ entryOf: name => ${JSON.stringify(programs.folder)} + '/' + name + '.mjs', single: ${JSON.stringify(single)} }`;
    writeFileSync(script, `import { up } from ${up}; process.exit(await up(process.argv.slice(2), ${installation}));`);
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => {
    programs.remove();
    rmSync(temporary, { recursive: true });
  });

  function launch(command: string, ...argv: string[]) {
    const child = spawn(command, argv, { env: { ...process.env, TMPDIR: temporary } });
    running.push(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', code => resolve({ code, stdout, stderr }));
    });
    return { child, ended, log: () => stderr };
  }
  const run = (command: string, ...argv: string[]): Promise<Ended> => launch(command, ...argv).ended;
  const up = (...argv: string[]) => launch(process.execPath, script, ...files, ...argv);
  const listen = (): Promise<Server> =>
    new Promise(resolve => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    });

  test('has a help, a version, and names what it does not know', async () => {
    expect(await run(`${BIN}kcp-vw`)).toMatchObject({ code: 0, stdout: expect.stringContaining('kcp-vw up [flags]') });
    expect(await run(`${BIN}kcp-vw`, 'version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^kcp-vw \d+\./) });
    const unknown = await run(`${BIN}kcp-vw`, 'down');
    expect(unknown).toEqual({
      code: 1,
      stdout: '',
      stderr: 'kcp-vw: there is no command "down": up, front-proxy, serve, install, workload, health, dev, version, help\n',
    });
  });

  test('lists its flags, started by either name, with and without a command', async () => {
    for (const [command = '', ...argv] of [['kcp-vw', 'up'], ['kcp-vw', '-v4'], ['virtual-workspaces']]) {
      expect(await run(BIN + command, ...argv, '--help')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('--secure-port'),
      });
    }
  });

  test('is found through links, relative and absolute', async () => {
    const links = mkdtempSync(join(temporary, 'links-'));
    mkdirSync(join(links, 'a folder'));
    symlinkSync(`${BIN}virtual-workspaces`, join(links, 'virtual-workspaces'));
    symlinkSync('../virtual-workspaces', join(links, 'a folder', 'vw'));
    expect(await run(join(links, 'a folder', 'vw'), '--nonsense')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'kcp-vw: there is no flag --nonsense (--help lists them)\n',
    });
  });

  test('says what is missing where nothing was installed', async () => {
    const empty = mkdtempSync(join(temporary, 'empty-'));
    mkdirSync(join(empty, 'bin'));
    const copy = join(empty, 'bin', 'virtual-workspaces');
    await run('cp', `${BIN}virtual-workspaces`, copy);
    expect(await run(copy)).toMatchObject({ code: 1, stderr: expect.stringMatching(/Node is not installed in .*: run npm ci/) });
  });

  test('ends with one sentence when a file is missing', async () => {
    expect(await up('--client-ca-file=/nowhere.crt').ended).toEqual({
      code: 1,
      stdout: '',
      stderr: 'kcp-vw: --client-ca-file: /nowhere.crt does not exist\n',
    });
  });

  test('ends with one sentence when the port is taken, before it starts anything', async () => {
    const taken = await listen();
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await up(`--secure-port=${port}`).ended;
    taken.close();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `kcp-vw: cannot listen on port ${port} of 127.0.0.1: it is in use by another process\n`,
    });
  });

  test('starts the fleet, drains on a signal and leaves nothing behind', async () => {
    const { child, ended, log } = up('--secure-port=0');
    await until(() => log().includes('every process is ready'), 'it is ready');
    const folders = (): string[] => readdirSync(temporary).filter(name => name.startsWith('kcp-vw-run-'));
    expect(folders()).toHaveLength(1);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(folders()).toEqual([]);
    expect(programs.notes()).toEqual(
      expect.arrayContaining(['front-proxy', 'apiexport-vw', 'initializer-vw'].map(name => `drained ${name}.mjs`)),
    );
  });

  const twoShards = (...flags: string[]) => [
    '--secure-port=0',
    ...['--shard=root', `--shard-kubeconfigs=shard-1=${join(programs.folder, 'shard-1.kubeconfig')}`],
    ...flags,
  ];

  test('starts every service once for each shard, behind one front proxy that waits for all of them', async () => {
    const telling = (name: string) => `
      import('node:fs').then(({ readFileSync }) => {
        const { kubeconfig, shard, services } = JSON.parse(readFileSync(arg('options'), 'utf8'));
        note(JSON.stringify(['${name}', kubeconfig.split('/').at(-1), shard, services]));
      });
      ${WELL_BEHAVED}`;
    const names = ['front-proxy', 'apiexport-vw', 'initializer-vw'];
    for (const name of names) programs.program(name, telling(name), [`view of ${name}`]);
    const { child, ended, log } = up(...twoShards('--shard-addresses=root=sni:a.example,shard-1=sni:b.example'));
    await until(() => log().includes('every process is ready'), 'it is ready');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    for (const name of names) programs.program(name, WELL_BEHAVED, [`view of ${name}`]);

    const told = programs.notes().flatMap(note => (note.startsWith('[') ? [JSON.parse(note) as unknown] : []));
    const services = ['apiexport-vw', 'initializer-vw'];
    const all = ['root', 'shard-1'].flatMap(shard => services.map(service => `${service}@${shard}`));
    expect(told).toHaveLength(5);
    expect(told).toEqual(
      expect.arrayContaining([
        ['front-proxy', 'kubeconfig', 'root', all],
        ...services.flatMap(service => [
          [service, 'kubeconfig', 'root', services],
          [service, 'shard-1.kubeconfig', 'shard-1', services],
        ]),
      ]),
    );
    for (const name of all) expect(log()).toContain(`"service":"${name}"`);
  });

  test('starts a service that is of all shards once, and the front proxy waits for it', async () => {
    const telling = `
      import('node:fs').then(({ readFileSync }) => {
        const { kubeconfig, furtherShards, services } = JSON.parse(readFileSync(arg('options'), 'utf8'));
        note(JSON.stringify(['of all', kubeconfig.split('/').at(-1), Object.keys(furtherShards), services]));
      });
      ${WELL_BEHAVED}`;
    programs.program('front-proxy', telling);
    programs.program('workspaces-vw', telling, ['workspaces']);
    const { child, ended, log } = up(
      ...twoShards('--shard-addresses=root=sni:a.example,shard-1=sni:b.example', '--services=workspaces-vw'),
    );
    await until(() => log().includes('every process is ready'), 'it is ready');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    programs.program('front-proxy', WELL_BEHAVED);

    const told = programs.notes().flatMap(note => (note.startsWith('["of all"') ? [JSON.parse(note) as unknown] : []));
    expect(told).toEqual(Array(2).fill(['of all', 'kubeconfig', ['shard-1'], ['workspaces-vw']]));
    expect(log()).toContain('"service":"workspaces-vw"');
  });

  test('ends with one sentence when several shards could not be told apart', async () => {
    const { code, stderr } = await up(...twoShards('--shard-addresses=root=sni:a.example')).ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'kcp-vw: --shard-addresses has to say how requests for the shard shard-1 are known, as there are several\n',
    });
  });

  test('ends with one sentence when the port of a shard is taken', async () => {
    const taken = await listen();
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await up(...twoShards(`--shard-addresses=root=sni:a.example,shard-1=port:${port}`)).ended;
    taken.close();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `kcp-vw: cannot listen on port ${port} of 127.0.0.1: it is in use by another process\n`,
    });
  });

  test('lets a signal sent twice cut the drain short', async () => {
    programs.program(
      'front-proxy',
      `self.onTerminate(() => new Promise(() => {})); self.listening('x'); self.ready(); setInterval(() => {}, 1e6);`,
    );
    const { child, ended, log } = up('--secure-port=0');
    await until(() => log().includes('every process is ready'), 'it is ready');
    child.kill('SIGINT');
    await until(() => log().includes('draining'), 'it drains');
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
    programs.program('front-proxy', WELL_BEHAVED);
  });

  test('ends with the sentence of a program that cannot start', async () => {
    programs.program('initializer-vw', `self.guard(async () => { throw new Error('the kubeconfig is no good'); });`);
    const { code, stderr } = await up('--secure-port=0').ended;
    programs.program('initializer-vw', WELL_BEHAVED);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kcp-vw: the kubeconfig is no good$/m);
  });

  test('runs everything in its own process when told to, and drains it', async () => {
    const { child, ended, log } = up('--secure-port=0', '--topology=single');
    await until(() => log().includes('"msg":"ready"'), 'it is ready');
    expect(log()).toContain('waiting for shard root');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });

  test('ends with the sentence of the single process that cannot start', async () => {
    const { code, stderr } = await up('--secure-port=0', '--topology=single', '-v9').ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'kcp-vw: the kubeconfig is no good\n' });
  });
});
