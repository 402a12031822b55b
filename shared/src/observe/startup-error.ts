import { isNativeError } from 'node:util/types';

/** What `listen` fails with, in words. */
const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use by another process',
  EADDRNOTAVAIL: 'this host has no such address',
  EACCES: 'this user may not',
  EAFNOSUPPORT: 'this host does not have that kind of address',
};

interface SystemError {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
}

/** Why a process does not start, as one sentence for whoever starts it. */
export function startupSentence(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const { code, syscall, address, port } = error as SystemError;
  const problem = syscall === 'listen' || syscall === 'bind' ? LISTEN_PROBLEMS[code ?? ''] : undefined;
  if (problem === undefined) return error.message;
  const where = port !== undefined && port >= 0 ? `port ${port} of ${address}` : address;
  return `cannot listen on ${where}: ${problem}`;
}

/** True for what only we can have caused, where a sentence without the stack would help nobody. */
export const isProgrammingError = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError || error instanceof SyntaxError;
