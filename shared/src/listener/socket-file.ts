import { lstat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';

/** Takes away the socket file of a process that is gone. Throws if somebody listens on it, or if it is another kind of file. */
export async function removeStaleSocket(socketPath: string): Promise<void> {
  const found = await lstat(socketPath).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return;
  if (!found.isSocket()) throw new Error(`cannot listen on ${socketPath}: the file is there and is no socket`);
  if (await isListening(socketPath)) throw new Error(`cannot listen on ${socketPath}: another process listens there`);
  await unlink(socketPath);
}

const isListening = (socketPath: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(new Error(`cannot listen on ${socketPath}: ${error.message}`, { cause: error }));
    });
  });

/**
 * Connections that may wait until this process takes them. On a Unix socket one more is refused at once (EAGAIN) and not kept by the kernel:
 * a front proxy opens as many as there are requests, in one go. The system has a limit of its own (`net.core.somaxconn`).
 */
export const BACKLOG = 4_096;

/** Starts to listen on a socket file that only the own user can connect to. */
export function listenPrivately(server: Server, socketPath: string): void {
  // Node makes the file within this call. Changing its mode afterwards would leave a moment in which anyone can connect.
  const before = process.umask(0o177);
  try {
    server.listen({ path: socketPath, backlog: BACKLOG });
  } finally {
    process.umask(before);
  }
}
