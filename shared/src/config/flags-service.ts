import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError } from './flags-values.ts';
import type { Options } from './options.ts';

/** Where a process of the fleet answers health and metrics: a TCP port, of the loopback address if no other, or a Unix socket. */
export type OpsAddress = { readonly port: number; readonly host?: string } | { readonly path: string };

/** What the supervisor tells a process of the fleet on its command line. */
export interface ServiceArguments {
  readonly options: Options;
  /** Unix socket to serve the views on; the front proxy has none. */
  readonly socket?: string;
  readonly ops?: OpsAddress;
  /** File with the addresses of the views, kept up to date by the supervisor; only for the front proxy. */
  readonly addresses?: string;
}

/** `/run/x.sock`, `9090` or `0.0.0.0:9090`. */
export function parseOpsAddress(text: string): OpsAddress {
  const match = text.startsWith('/') ? null : /^(?:(.+):)?(\d+)$/.exec(text);
  if (!match) return { path: text };
  return { port: Number(match[2]), ...(match[1] !== undefined && { host: match[1] }) };
}

export function formatOpsAddress(address: OpsAddress): string {
  if ('path' in address) return address.path;
  return address.host === undefined ? String(address.port) : `${address.host}:${address.port}`;
}

/** The ops server of the process with that number, the front proxy being 0; undefined without `--ops-port`. */
export function opsAddressOf({ opsPort, opsBindAddress }: Options, index = 0): OpsAddress | undefined {
  // 0 is any free port, for each of them.
  return opsPort === undefined ? undefined : { port: opsPort && opsPort + index, host: opsBindAddress };
}

/** Reads `--options=<file> [--socket=…] [--ops=…] [--addresses=…]`. Throws a UsageError. */
export function readServiceArguments(argv: readonly string[]): ServiceArguments {
  const flag = { type: 'string' } as const;
  const { values } = parse(() =>
    parseArgs({ args: [...argv], options: { options: flag, socket: flag, ops: flag, addresses: flag } }),
  );
  if (!values.options) throw new UsageError('--options is required: this program is started by kcp-vw up');
  return {
    options: parse(() => JSON.parse(readFileSync(values.options as string, 'utf8')) as Options),
    ...(values.socket && { socket: values.socket }),
    ...(values.ops && { ops: parseOpsAddress(values.ops) }),
    ...(values.addresses && { addresses: values.addresses }),
  };
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UsageError(`this program is started by kcp-vw up: ${(cause as Error).message}`, { cause });
  }
}
