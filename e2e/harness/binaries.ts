import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The programs that `sharded-test-server` starts, and itself. The one for virtual workspaces is ours to choose. */
const NEEDED = ['sharded-test-server', 'kcp', 'kcp-front-proxy', 'cache-server'];

export type Binaries =
  /** `path` is what `PATH` must be for the programs to be found. */
  { readonly found: true; readonly path: string; readonly testServer: string } | { readonly found: false; readonly why: string };

/** Looks for kcp's programs in the folder that `KCP_BIN` names, else on `PATH`. */
export function findBinaries(environment: NodeJS.ProcessEnv): Binaries {
  const path = environment.PATH ?? '';
  const folder = environment.KCP_BIN;
  const folders = folder === undefined || folder === '' ? path.split(delimiter) : [folder];
  const missing = NEEDED.filter(name => locate(name, folders) === undefined);
  const testServer = locate('sharded-test-server', folders);
  if (missing.length > 0 || testServer === undefined) {
    const where =
      folder === undefined || folder === ''
        ? 'on PATH, and KCP_BIN names no folder'
        : `in the folder that KCP_BIN names, ${folder}`;
    return { found: false, why: `no ${missing.join(', ')} ${where}` };
  }
  return { found: true, path: folder === undefined || folder === '' ? path : `${folder}${delimiter}${path}`, testServer };
}

function locate(name: string, folders: readonly string[]): string | undefined {
  return folders.map(folder => join(folder, name)).find(isExecutable);
}

/** Whether the file exists and may be executed. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Absent and unreadable are the same answer here: it cannot be started.
    return false;
  }
}
