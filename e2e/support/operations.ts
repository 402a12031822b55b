import { target } from './identities.ts';

/** What a process of ours tells those who run it. */
export interface ProcessState {
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Bytes, as `process.memoryUsage()` has them. */
  readonly memory: { readonly rss: number; readonly heapUsed: number };
}

/** The names of the processes that can be asked; none for an implementation that is not ours. */
export const processes = Object.keys(target.ops ?? {});

async function ask(name: string, path: string): Promise<Response> {
  const url = target.ops?.[name];
  if (url === undefined) throw new Error(`the target describes no ops server of ${name}`);
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${name} answers ${response.status} at ${path}`);
  return response;
}

export async function stateOf(name: string): Promise<ProcessState> {
  return (await (await ask(name, '/debug/process')).json()) as ProcessState;
}

/** Bytes of the heap that are in use once all garbage is gone. */
export async function heapOf(name: string): Promise<number> {
  const state = (await (await ask(name, '/debug/process?collect')).json()) as ProcessState;
  return state.memory.heapUsed;
}

/** Open watches of the process towards all servers behind it. */
export const upstreamStreams = (name: string): Promise<number> => total(name, 'upstream_watch_streams');

/** Short requests of the process that wait for an answer of a server behind it. */
export const requestsInFlight = (name: string): Promise<number> => total(name, 'upstream_requests_in_flight');

/** The sum of a metric over its labels. */
async function total(name: string, metric: string): Promise<number> {
  const text = await (await ask(name, '/metrics')).text();
  const values = [...text.matchAll(/^(\w+)\{.*\} (\d+)$/gm)].filter(([, found]) => found === metric);
  return values.reduce((sum, [, , value]) => sum + Number(value), 0);
}
