import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { Pool } from 'undici';
import type { Measurement } from '../load/job.ts';
import { Meter } from '../load/meter.ts';
import { parallel } from '../parallel.ts';
import { LANE_COUNT, reported } from './content.ts';
import type { StatusJob } from './job.ts';

/** As all that it writes is compared: no two the same. */
let revision = 0;

interface Answer {
  readonly object: KubeObject;
  readonly bytes: number;
}

/** Writes statuses as a syncer does, a whole object each, and measures what one write takes. */
export async function runStatuses({ access, before, lanes, paths, processes, times }: StatusJob): Promise<Measurement> {
  const { authority, keyPair, url } = access;
  const connect = { ca: authority, cert: keyPair.certificate, key: keyPair.key };
  const pool = new Pool(url, { connections: lanes, pipelining: 1, allowH2: false, connect });
  const send = async (method: string, path: string, body: string | null): Promise<Answer> => {
    const headers = {
      ...access.headers,
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'kcp-vw-bench',
    };
    const { body: answered, statusCode } = await pool.request({ method, path, headers, body });
    const text = await answered.text();
    if (statusCode !== 200) throw new Error(`${method} ${path} answered ${statusCode}: ${text.slice(0, 500)}`);
    return { object: JSON.parse(text) as KubeObject, bytes: text.length };
  };
  const write = (path: string, object: KubeObject): Promise<Answer> =>
    send('PUT', `${path}/status`, JSON.stringify({ ...object, status: reported(1, ++revision) }));
  const never = new AbortController().signal;
  try {
    const current = new Map<string, KubeObject>();
    await parallel(paths.length, LANE_COUNT, never, async index => {
      const path = paths[index] ?? '';
      let { object } = await send('GET', path, null);
      for (let i = 0; i < before; i++) ({ object } = await write(path, object));
      current.set(path, object);
    });
    const results = { latencies: [] as number[], bytes: 0 };
    const meter = new Meter(processes);
    await parallel(paths.length, lanes, never, async index => {
      const path = paths[index] ?? '';
      let object = current.get(path) ?? {};
      for (let i = 0; i < times; i++) {
        const started = performance.now();
        const answer = await write(path, object);
        results.latencies.push(performance.now() - started);
        results.bytes += answer.bytes;
        ({ object } = answer);
      }
    });
    return meter.stop(results.latencies, results.bytes);
  } finally {
    await pool.close();
  }
}
