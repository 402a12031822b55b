import { readFileSync } from 'node:fs';

/** What both hops are told, as it stands in the JSON file that they are started with. */
export interface Configuration {
  readonly port: number;
  /** Of the Unix socket between the two. */
  readonly socket: string;
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority: string;
  readonly shardURL: string;
  readonly shardAuthority: string;
  readonly shardCertificate: string;
  readonly shardKey: string;
  /** Paths below it are sent with the headers, all others without; names and values alternate. */
  readonly prefix: string;
  readonly headers: readonly string[];
}

/** Reads the file that the command line names. */
export function readConfiguration([file]: readonly string[]): Configuration {
  if (file === undefined) throw new Error('the file with the configuration is missing');
  return JSON.parse(readFileSync(file, 'utf8')) as Configuration;
}

/** Ends as a server is ended, so that a profile is written. */
export function endPolitely(): void {
  process.on('SIGTERM', () => process.exit(0));
}
