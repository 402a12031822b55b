import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../pass-through/configuration.ts';
import type { Program } from './server.ts';

const FOLDER = join(import.meta.dirname, '..', 'pass-through');

/** The two hops, in the order in which they have to be started. */
export function passThrough(configuration: Configuration, workDir: string): Program[] {
  const file = join(workDir, 'pass-through.json');
  writeFileSync(file, JSON.stringify(configuration));
  const hop = (script: string): Program => ({
    name: `pass-through-${script}`,
    executable: process.execPath,
    parameters: [join(FOLDER, `${script}.ts`), file],
    mark: join(FOLDER, `${script}.ts`),
    probe: '/readyz',
  });
  return [hop('back'), { ...hop('front'), port: configuration.port }];
}
