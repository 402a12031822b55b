import { join } from 'node:path';

export const OURS = join(import.meta.dirname, '..', '..', 'bin', 'virtual-workspaces');

/** Node writes a CPU profile of each process into the folder when it ends. Other programs ignore the variable. */
export function environmentOf(profileFolder: string | undefined): NodeJS.ProcessEnv {
  if (profileFolder === undefined) return process.env;
  return { ...process.env, NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` };
}
