import { type Clock, systemClock } from '@kcp-vw/shared/informer/clock.ts';
import { formatTimestamp } from '@kcp-vw/syncer-vw/controllers/timestamps.ts';
import { type Client, JSON_PATCH } from './client.ts';

export interface HeartbeatOptions {
  /** The workspace of the SyncTarget. */
  readonly workspace: Client;
  /** Of the SyncTarget. */
  readonly path: string;
  readonly uid: string;
  /** Milliseconds. */
  readonly interval: number;
  /** Milliseconds after a failure; default 1000. */
  readonly retryAfter?: number;
  readonly say: (text: string) => void;
  readonly clock?: Clock;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Only of this very SyncTarget: for one that was made again under its name, a heartbeat of this syncer would be a lie. */
export const heartbeatPatch = (uid: string, now: number): object => [
  { op: 'test', path: '/metadata/uid', value: uid },
  // In place of the one before, too.
  { op: 'add', path: '/status/lastSyncerHeartbeatTime', value: formatTimestamp(now) },
];

/** Says again and again that this syncer is alive. Returns how to end it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const { workspace, path, uid, interval, retryAfter = 1_000, say, clock = systemClock, now = Date.now } = options;
  let stopped = false;
  let cancel = (): void => undefined;

  async function beat(): Promise<void> {
    let wait = interval;
    try {
      await workspace.send('PATCH', `${path}/status`, heartbeatPatch(uid, now()), JSON_PATCH);
    } catch (error) {
      wait = retryAfter;
      if (!stopped) say(`heartbeat: ${error instanceof Error ? error.message : String(error)}; trying again`);
    }
    if (!stopped) cancel = clock.after(wait, () => void beat());
  }

  void beat();
  return () => {
    stopped = true;
    cancel();
  };
}
