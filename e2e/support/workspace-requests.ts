/** Requests for one workspace, as tests of writes make them again and again. */
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';
import type { Workspace } from './kube.ts';
import type { Reply } from './reply.ts';
import { WORKSPACES } from './workspaces-view.ts';

/** As versions of another process are: of a time long after this one. */
export const OF_ANOTHER_PROCESS = '8123456789012345678';

/** The path of a workspace in its parent; `rest` is a subresource or a query. */
export const at = (name: string, rest = ''): string => `${WORKSPACES}/${name}${rest}`;

const readAt = async (there: Client, path: string): Promise<Workspace> => (await there.get(path)).expect(200).json<Workspace>();
export const read = (there: Client, name: string): Promise<Workspace> => readAt(there, at(name));

/** Reads what is at the path, and writes. kcp's controllers write, too: what they come between is done again. */
export const untilWritten = (there: Client, path: string, write: (current: Workspace) => Promise<Reply>): Promise<Workspace> =>
  eventually(`write to ${path}`, async () => (await write(await readAt(there, path))).expect(200).json<Workspace>());

/** Gives it the label `label`. */
export async function label(there: Client, name: string, value: string): Promise<Workspace> {
  return (await there.mergePatch(at(name), { metadata: { labels: { label: value } } })).expect(200).json<Workspace>();
}

/** An answer without the name that it is about, which may be in it several times. */
export const nameless = (reply: Reply, name: string): unknown => ({
  status: reply.status,
  text: reply.text.replaceAll(name, '<name>'),
});

/** A DELETE with options in its body, of which Node tells the length only when it is told to. */
export function deleteWith(there: Client, path: string, options: unknown): Promise<Reply> {
  const body = JSON.stringify(options);
  return there.send('DELETE', path, { body, headers: { 'Content-Length': Buffer.byteLength(body) } });
}
