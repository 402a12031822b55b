/** A custom view as a whole program: real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { closeAll, eventually } from '../upstream/upstream.fixture.ts';
import { askAsFrontProxy, type ServiceFiles, serviceFiles, type ToldRegistry, toldRegistry } from './service-alone.fixture.ts';

const moduleUrl = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
const PRELUDE = `
  import { serveView } from ${moduleUrl('serve-view.ts')};
  import { defineView, deny } from ${moduleUrl('view.ts')};
  const view = name => defineView({
    name,
    path: '/clusters/:cluster',
    apis: () => undefined,
    authorize: ({ caller }) => deny(caller.name + ' may not see ' + name),
    answer: () => { throw new Error('nobody is allowed'); },
  });`;

let folder: string;
let registry: ToldRegistry;
let files: ServiceFiles;
const running: ChildProcess[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'views-'));
  registry = await toldRegistry();
  files = serviceFiles(registry.url);
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await closeAll();
  files.remove();
  rmSync(folder, { recursive: true });
});

function launch(body: string, ...argv: readonly string[]) {
  const program = join(folder, 'my-views.mjs');
  writeFileSync(program, `${PRELUDE}\n${body}`);
  const child = spawn(process.execPath, [program, ...argv], { env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: undefined } });
  running.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, stdout, stderr }));
  });
  const port = async (): Promise<number> => {
    const found = (): number => Number(/"address":"127\.0\.0\.1:(\d+)"/.exec(stderr)?.[1] ?? 0);
    await eventually(() => found() > 0 || child.exitCode !== null);
    return found();
  };
  return { child, ended, port };
}

const messageOf = async (port: number, name: string): Promise<unknown> => {
  const { body } = await askAsFrontProxy(port, `/services/${name}/clusters/root/api/v1/secrets`);
  return (JSON.parse(body) as { message: unknown }).message;
};

describe('a program of one line and a view', () => {
  test('serves it, is registered, and is gone after SIGTERM', async () => {
    const flags = [...files.flags, '--advertised-url=https://mine:7443', '--instance=mine-1'];
    const { child, ended, port } = launch(`await serveView(view('mine'));`, ...flags);
    expect(await messageOf(await port(), 'mine')).toContain('alice may not see mine');
    await eventually(() => registry.told.includes('mine: ready'));
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(registry.told).toEqual(['mine: ready', 'mine: not ready', 'mine: no entry', 'no lease']);
  });

  test('serves several, and those that are made of what the process has', async () => {
    const several = launch(`await serveView([view('one'), view('two')]);`, ...files.flags);
    const port = await several.port();
    for (const name of ['one', 'two']) expect(await messageOf(port, name)).toContain(`alice may not see ${name}`);
    const body = `await serveView(async ({ options, control }) => view(options.shard + (control ? '-notes' : '')));`;
    const made = launch(body, ...files.flags, '--shard=amber');
    expect(await messageOf(await made.port(), 'amber-notes')).toContain('alice may not see amber-notes');
  });

  test('tells its flags with --help', async () => {
    const { code, stdout } = await launch(`await serveView([view('one'), view('two')]);`, '--help').ended;
    expect(code).toBe(0);
    expect(stdout).toContain('Serves /services/one, /services/two by itself');
    expect(stdout).toContain('  my-views.mjs --kubeconfig=<file>');
    expect(stdout).toContain('--advertised-url');
    expect(stdout).not.toContain('--topology');
  });
});

describe('one sentence, in the name of the view, and exit code 1 are the answer to', () => {
  const refused = async (sentence: RegExp, body: string, ...argv: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await launch(body, ...argv).ended;
    expect({ code, stdout, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({
      code: 1,
      stdout: '',
      last: expect.stringMatching(sentence),
    });
  };

  test('flags that are missing, or not its own', async () => {
    const body = `await serveView(view('mine'));`;
    await refused(/^mine: --kubeconfig is required/, body);
    await refused(/^mine: --topology does nothing for kcp-vw serve/, body, ...files.flags, '--topology=single');
  });

  test('an authority that users have certificates of', async () => {
    const shared =
      files.flags.find(flag => flag.startsWith('--requestheader-client-ca-file'))?.replace('requestheader-', '') ?? '';
    await refused(/^mine: .* has an authority of --client-ca-file/, `await serveView(view('mine'));`, ...files.flags, shared);
  });

  test('views that cannot be made', async () => {
    const body = `await serveView(async () => { throw new Error('there is no team'); });`;
    await refused(/^my-views: there is no team$/, body, ...files.flags);
  });
});
