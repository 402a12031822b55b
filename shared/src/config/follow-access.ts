import { isDeepStrictEqual } from 'node:util';
import { type ClusterAccess, loadKubeconfig } from './cluster-access.ts';
import { type FileWatch, watchFiles } from './files.ts';

export interface FollowAccessOptions {
  /** Told when changed files cannot be used; the credentials in use stay. Default: a process warning. */
  readonly onError?: (error: Error) => void;
  /** Milliseconds between two looks at the files. */
  readonly intervalMs?: number;
}

/** Credentials of an exec plugin are asked for again so long before they end, and never more often than the pause. */
const RENEW_BEFORE_MS = 60_000;
const RENEW_PAUSE_MS = 10_000;
/** `setTimeout` runs at once when asked to wait longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Calls `use` with what a kubeconfig says whenever that changes. `use` throws when it is no good; what was before stays in use then. Returns
 * how to stop.
 */
export function followAccess(
  access: ClusterAccess,
  use: (access: ClusterAccess) => void,
  { onError = error => process.emitWarning(error), intervalMs = 10_000 }: FollowAccessOptions = {},
): () => void {
  let current = access;
  let renewal: NodeJS.Timeout | undefined;
  let closed = false;

  const reload = async (): Promise<void> => {
    const next = await loadKubeconfig(current.file, { context: current.context });
    if (closed) return;
    use(next);
    const sameFiles = isDeepStrictEqual(next.files, current.files);
    current = next;
    if (!sameFiles) {
      files.close();
      files = watch();
    }
    planRenewal();
  };
  const watch = (): FileWatch => watchFiles(current.files, reload, { intervalMs, onError });
  const planRenewal = (): void => {
    clearTimeout(renewal);
    if (closed || current.expires === undefined) return;
    const wait = Math.max(current.expires - RENEW_BEFORE_MS - Date.now(), RENEW_PAUSE_MS);
    renewal = setTimeout(renew, Math.min(wait, LONGEST_TIMEOUT_MS));
    renewal.unref();
  };
  const renew = (): void => {
    reload().catch(error => {
      onError(error);
      planRenewal();
    });
  };

  let files = watch();
  planRenewal();
  return () => {
    closed = true;
    files.close();
    clearTimeout(renewal);
  };
}
