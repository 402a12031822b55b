import { type ChildProcess, spawn } from 'node:child_process';
import { Client, type Credentials } from './client.ts';
import { eventually } from './eventually.ts';
import { anonymous, target } from './identities.ts';
import type { Reply } from './reply.ts';

/** The second instance stands a hundred ports beside the first. */
const STEP = 100;
const portOf = (url: string): number => Number(new URL(url).port);
const PORT = portOf(target.virtualWorkspaceURL);
const OTHER_PORT = PORT + STEP;
// Without ops servers there is no second instance either.
const OTHER_OPS_PORT = portOf(target.ops?.['front-proxy'] ?? target.virtualWorkspaceURL) + STEP;
const OWN_ADDRESSES = new RegExp(`127\\.0\\.0\\.1:(${PORT}|${OTHER_PORT})`, 'g');

/** How the instance under test was started; none for an implementation that is not ours. */
const command = target.command ?? [];
export const canStartSecond = command.length > 0;

/** Parameters that two instances on one machine cannot share, with a value of their own or after them. */
const OWN_PARAMETERS = ['--secure-port', '--ops-port', '--audit-log-path'];

/** Starts another instance like the one under test with further parameters, and waits until it is ready. */
export async function startSecond(...parameters: readonly string[]): Promise<ChildProcess> {
  const [executable = '', ...given] = command;
  const isOwn = (parameter: string | undefined): boolean => OWN_PARAMETERS.includes(parameter?.split('=')[0] ?? '');
  const isOwnValue = (i: number): boolean => isOwn(given[i - 1]) && !given[i - 1]?.includes('=');
  const kept = given.filter((parameter, i) => !isOwn(parameter) && !isOwnValue(i));
  const own = [`--secure-port=${OTHER_PORT}`, `--ops-port=${OTHER_OPS_PORT}`, ...parameters];
  const second = spawn(executable, [...kept, ...own], { stdio: ['ignore', 'ignore', 'inherit'] });
  await eventually('readiness of the second instance', async () => (await atSecond(anonymous).get('/readyz')).expect(200));
  return second;
}

export const atSecond = (credentials: Credentials): Client =>
  new Client(`https://127.0.0.1:${OTHER_PORT}`, target.servingAuthority, credentials);

/** The name that a request of its own gives an answer, and the time. */
const OWN_HEADERS = ['date', 'audit-id', 'connection', 'keep-alive', 'etag', 'content-length'];

/** What two instances must answer alike. The address that discovery tells is the instance's own. */
export function comparable({ status, headers, text }: Reply) {
  const shared = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name));
  return { status, headers: Object.fromEntries(shared), text: text.replaceAll(OWN_ADDRESSES, 'address') };
}
