/** `sysexits.h`'s EX_CONFIG: the configuration is at fault, starting again will not help. */
export const EXIT_CONFIGURATION = 78;

/** What a process of the fleet tells its supervisor, over the IPC channel. */
export type ChildMessage =
  /** Takes requests at `address` (a socket's path; `host:port` for the front proxy), for these views. */
  | { readonly type: 'listening'; readonly socket: string; readonly views: readonly string[] }
  /** Everything it needs is there. */
  | { readonly type: 'ready' }
  /** Cannot be ready before this is there: `shard root at https://…`. */
  | { readonly type: 'waiting'; readonly for: string }
  /** Cannot start; a sentence for whoever started the fleet. The process exits after it. */
  | { readonly type: 'fatal'; readonly message: string };

/** A message as it came, or undefined for anything else: a service may have an IPC protocol of its own. */
export function readChildMessage(value: unknown): ChildMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const message = value as Partial<Record<string, unknown>>;
  switch (message.type) {
    case 'ready':
      return { type: 'ready' };
    case 'waiting':
      return typeof message.for === 'string' ? { type: 'waiting', for: message.for } : undefined;
    case 'fatal':
      return typeof message.message === 'string' ? { type: 'fatal', message: message.message } : undefined;
    case 'listening': {
      const { socket, views } = message;
      const valid = typeof socket === 'string' && Array.isArray(views) && views.every(view => typeof view === 'string');
      return valid ? { type: 'listening', socket, views } : undefined;
    }
    default:
      return undefined;
  }
}
