import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type FileContents, watchFiles } from '@kcp-vw/shared/config/files.ts';
import type { ServiceAccessOptions } from '@kcp-vw/shared/config/options.ts';

/** With what the front proxy reaches services by URL: the certificate that it shows, and whom it believes where an address does not say. */
export interface ServiceCredentials {
  readonly tls: ServiceTls;
  onChange(listener: () => void): () => void;
  close(): void;
}

/** PEM. Without `ca` only addresses that bring their own can be used. */
export interface ServiceTls {
  readonly ca?: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface ServiceCredentialsOptions {
  /** Changed files cannot be used; what was read before stays in use. */
  readonly onError: (error: Error) => void;
  /** Milliseconds between two looks at the files. */
  readonly intervalMs?: number;
}

/** Reads the files and follows them. Undefined without a certificate. Throws with a message that names the file when one cannot be used. */
export function loadServiceCredentials(
  { caFile, certFile, keyFile }: ServiceAccessOptions,
  { onError, intervalMs }: ServiceCredentialsOptions,
): ServiceCredentials | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined;
  const read = (contents: FileContents): ServiceTls => {
    const of = (path: string): Buffer => contents.get(path) ?? Buffer.alloc(0);
    const tls: ServiceTls = { ...(caFile !== undefined && { ca: of(caFile) }), cert: of(certFile), key: of(keyFile) };
    // Node ignores authorities that it cannot parse, and would trust nobody without saying so.
    if (caFile !== undefined) attempt(caFile, () => new X509Certificate(of(caFile)));
    attempt(`${certFile} with the key ${keyFile}`, () => createSecureContext(tls));
    return tls;
  };
  const listeners = new Set<() => void>();
  const watch = watchFiles(
    [...(caFile === undefined ? [] : [caFile]), certFile, keyFile],
    contents => {
      current = read(contents);
      for (const listener of listeners) listener();
    },
    { ...(intervalMs !== undefined && { intervalMs }), onError },
  );
  let current: ServiceTls;
  try {
    current = read(watch.contents);
  } catch (error) {
    watch.close();
    throw error;
  }
  return {
    get tls() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => watch.close(),
  };
}

function attempt(what: string, run: () => unknown): void {
  try {
    run();
  } catch (cause) {
    throw new Error(`${what} cannot be used: ${(cause as Error).message}`, { cause });
  }
}
