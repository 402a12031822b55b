import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError } from './flags-values.ts';
import type { Options } from './options.ts';

/** Where a process of the fleet answers health and metrics: a loopback TCP port, or a Unix socket. */
export type OpsAddress = { readonly port: number } | { readonly path: string };

/** What the supervisor tells a process of the fleet on its command line. */
export interface ServiceArguments {
  readonly options: Options;
  /** Unix socket to serve the views on; the front proxy has none. */
  readonly socket?: string;
  readonly ops?: OpsAddress;
  /** File with the addresses of the views, kept up to date by the supervisor; only for the front proxy. */
  readonly addresses?: string;
}

/** `/run/x.sock` or `9090`. */
export const parseOpsAddress = (text: string): OpsAddress => (/^\d+$/.test(text) ? { port: Number(text) } : { path: text });

export const formatOpsAddress = (address: OpsAddress): string => ('port' in address ? String(address.port) : address.path);

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
