import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createGzip } from 'node:zlib';

/** Bytes of an image as a registry would hold it, its layers compressed. */
export async function compressedSize(image: string): Promise<number> {
  const saved = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(saved, 'close');
  let bytes = 0;
  for await (const chunk of saved.stdout.pipe(createGzip())) bytes += (chunk as Buffer).length;
  const [code] = await ended;
  if (code !== 0) throw new Error(`docker save ${image} exited with code ${code}`);
  return bytes;
}

/** Milliseconds from the start of a container to the line of its log that says it is ready; undefined when it has not said so. */
export function millisecondsUntilReady(startedAt: string, log: string): number | undefined {
  const lines = log.split('\n').filter(line => line.startsWith('{'));
  const times = lines
    .map(line => JSON.parse(line) as { msg?: string; time?: string })
    .filter(({ msg }) => msg === 'ready')
    .map(({ time = '' }) => Date.parse(time) - Date.parse(startedAt))
    // An earlier start of the same container has said it, too.
    .filter(milliseconds => milliseconds >= 0);
  return times[0];
}
