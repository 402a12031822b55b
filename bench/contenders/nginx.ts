import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isExecutable } from '@kcp-vw/e2e/harness/binaries.ts';
import { type NginxOptions, nginxConfig } from './nginx-config.ts';
import type { Program } from './server.ts';

/** Debian installs it where ordinary users do not look. */
const FURTHER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** nginx, where it is installed. */
export function findNginx(environment: NodeJS.ProcessEnv): string | undefined {
  const folders = [...(environment.PATH ?? '').split(delimiter), ...FURTHER_FOLDERS];
  return folders.map(folder => join(folder, 'nginx')).find(isExecutable);
}

export function nginx(executable: string, options: Omit<NginxOptions, 'folder'>, workDir: string): Program {
  const folder = join(workDir, 'nginx');
  mkdirSync(folder);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, nginxConfig({ ...options, folder }));
  return {
    name: 'nginx',
    executable,
    parameters: ['-p', folder, '-c', file, '-e', join(folder, 'error.log')],
    mark: file,
    port: options.port,
    probe: '/readyz',
  };
}
