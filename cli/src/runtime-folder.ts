import { rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that only we can enter: sockets between the processes, their configuration. */
export interface RuntimeFolder {
  readonly path: string;
  /** Removes it; also done when the process exits. */
  remove(): void;
}

const PREFIX = 'kcp-vw-run-';
/** The supervisor listens here as long as it lives. A pid would not do: it may be another one's by now, or of another container. */
const ALIVE = 'alive.sock';
/** Bytes of a Unix socket's path: 107 on Linux, fewer elsewhere. */
const MAX_SOCKET_PATH = 103;
/** Milliseconds that a folder without a socket may be one that is just being made. */
const GRACE = 60_000;

export interface RuntimeFolderOptions {
  /** Names of the sockets that will be made in it. */
  readonly sockets: readonly string[];
  readonly parent?: string;
  /** Told what could not be removed, or was. */
  readonly onAbandoned?: (path: string, error?: Error) => void;
}

/** Makes the folder, and removes those of predecessors that were killed. */
export async function createRuntimeFolder(options: RuntimeFolderOptions): Promise<RuntimeFolder> {
  const parent = shortEnough([options.parent ?? tmpdir(), '/tmp'], options.sockets);
  await removeAbandoned(parent, options.onAbandoned ?? (() => undefined));
  const path = await mkdtemp(join(parent, PREFIX));
  const alive = createServer(socket => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    alive.once('error', reject);
    alive.listen(join(path, ALIVE), resolve);
  });
  alive.unref();
  const remove = (): void => {
    process.off('exit', remove);
    alive.close();
    rmSync(path, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return { path, remove };
}

function shortEnough(parents: readonly string[], sockets: readonly string[]): string {
  const longest = Math.max(...[ALIVE, ...sockets].map(name => Buffer.byteLength(join(`${PREFIX}123456`, name))));
  const parent = parents.find(candidate => Buffer.byteLength(candidate) + 1 + longest <= MAX_SOCKET_PATH);
  if (parent === undefined) throw new Error(`no path for a Unix socket is short enough in ${parents.join(' or ')}: set TMPDIR`);
  return parent;
}

async function removeAbandoned(parent: string, report: (path: string, error?: Error) => void): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!/^kcp-vw-run-[A-Za-z0-9]{6}$/.test(name)) continue;
    const path = join(parent, name);
    try {
      if (!(await isAbandoned(path))) continue;
      await rm(path, { recursive: true, force: true });
      report(path);
    } catch (error) {
      // Another supervisor that starts now may have been quicker.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') report(path, error as Error);
    }
  }
}

/** Anybody may make a folder of that name where everybody may write: only what is ours, and only ours to write, is looked at. */
async function isAbandoned(path: string): Promise<boolean> {
  const stat = await lstat(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) return false;
  const state = await probe(join(path, ALIVE));
  return state === 'dead' || (state === 'none' && Date.now() - stat.mtimeMs > GRACE);
}

function probe(socketPath: string): Promise<'alive' | 'dead' | 'none'> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve('dead');
      else if (error.code === 'ENOENT') resolve('none');
      else reject(error);
    });
  });
}
