import { type Client, isRefused } from './client.ts';
import { collectionPath, type Place, type Resource, upstreamPath } from './resources.ts';

/**
 * Whether an object that is not seen any more is really not there, or not for this syncer. One that only cannot be shown (500) is, and what is
 * running of it goes on. A refusal may also be of everything, when the SyncTarget or the API has just gone: that says nothing of the object,
 * so all of its kind must still be allowed. Rejects if that cannot be found out.
 */
export async function isGoneUpstream(upstream: Client, resource: Resource, place: Place): Promise<boolean> {
  try {
    await upstream.send('GET', upstreamPath(resource, place));
    return false;
  } catch (error) {
    // 403: of a workspace that has nothing to do with the SyncTarget any more.
    if (!isRefused(error, 403, 404)) throw error;
  }
  await upstream.send('GET', `/clusters/*${collectionPath(resource)}?limit=1`);
  return true;
}
