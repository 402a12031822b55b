import { closeSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

export interface LineFileOptions {
  readonly path: string;
  /** Bytes after which the file is rotated; 0: never. */
  readonly maxSize: number;
  /** Rotated files kept; 0: all. */
  readonly maxBackups: number;
  /** Days that rotated files are kept; 0: for ever. */
  readonly maxAgeDays: number;
  /** Bytes of lines that may wait for the disk; further lines are dropped. */
  readonly maxWaiting: number;
  /** Milliseconds that lines are gathered before they are written; each write costs as much as a small request. */
  readonly gatherFor?: number;
  /** Milliseconds until a failed write is tried again. */
  readonly retryAfter?: number;
  /** Told once when writing starts to fail, and again only after it has worked in between. */
  readonly onError: (error: Error) => void;
  readonly onDropped: (lines: number) => void;
}

/** Takes lines (each with its newline) and never makes the caller wait. */
export interface LineSink {
  write(line: string): void;
  /** Resolves when what was written before is on its way to the disk, or has failed. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const MAX_BATCH = 1024 * 1024;
/** Bytes that are written at once, however little time has passed. */
const WORTH_WRITING = 64 * 1024;
const DAY = 86_400_000;

/**
 * A file that lines are appended to in batches, rotated by size as `name-<time>.ext` beside it. One process writes to one file. Lines
 * wait while the disk fails, up to a limit; what waits when the process exits is written then.
 */
export function createLineFile(options: LineFileOptions): LineSink {
  const { path, maxSize, maxWaiting, gatherFor = 100, retryAfter = 1_000, onError, onDropped } = options;
  // As text: bytes are made of a batch, not of each line.
  let waiting: string[] = [];
  /** Of `waiting` and `batch`. */
  let waitingBytes = 0;
  let batch: Buffer = Buffer.alloc(0);
  let file: { readonly handle: FileHandle; size: number } | undefined;
  let pumping: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let gathering: NodeJS.Timeout | undefined;
  /** The last write failed and was reported. */
  let failing = false;
  let lastRotation = 0;

  async function opened(): Promise<{ readonly handle: FileHandle; size: number }> {
    if (!file) {
      await mkdir(dirname(path), { recursive: true });
      const handle = await open(path, 'a', 0o600);
      file = { handle, size: (await handle.stat()).size };
    }
    return file;
  }

  async function closeFile(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.handle.close();
  }

  async function rotate(): Promise<void> {
    await closeFile();
    // Two rotations within a millisecond must not replace one another's file.
    lastRotation = Math.max(Date.now(), lastRotation + 1);
    await rename(path, rotatedName(path, lastRotation));
    await removeOld(options);
  }

  /** Takes whole lines off the front, up to a batch. */
  function take(): Buffer {
    let count = 0;
    let bytes = 0;
    for (; count < waiting.length; count++) {
      const length = Buffer.byteLength(waiting[count] as string);
      if (count > 0 && bytes + length > Math.min(MAX_BATCH, maxSize || MAX_BATCH)) break;
      bytes += length;
    }
    const taken = Buffer.from(waiting.slice(0, count).join(''));
    waiting = waiting.slice(count);
    return taken;
  }

  /** Writes what waits now. What comes meanwhile is gathered again, unless it is enough by itself. */
  async function pump(): Promise<void> {
    let lines = waiting.length;
    while (batch.length > 0 || (waiting.length > 0 && (lines > 0 || waitingBytes >= WORTH_WRITING))) {
      if (batch.length === 0) {
        const before = waiting.length;
        batch = take();
        lines -= before - waiting.length;
      }
      try {
        const { size } = await opened();
        if (maxSize > 0 && size > 0 && size + batch.length > maxSize) await rotate();
        const current = await opened();
        while (batch.length > 0) {
          const { bytesWritten } = await current.handle.write(batch);
          current.size += bytesWritten;
          waitingBytes -= bytesWritten;
          batch = batch.subarray(bytesWritten);
        }
        failing = false;
      } catch (error) {
        await failed(error as Error);
        return;
      }
    }
  }

  async function failed(error: Error): Promise<void> {
    if (!failing) onError(error);
    failing = true;
    try {
      await closeFile();
    } catch (closeError) {
      onError(closeError as Error);
    }
    retry = setTimeout(start, retryAfter);
    retry.unref();
  }

  function start(): void {
    clearTimeout(retry);
    clearTimeout(gathering);
    retry = undefined;
    gathering = undefined;
    pumping ??= pump().finally(() => {
      pumping = undefined;
      // A line that came after the last look at the queue.
      if (waiting.length > 0 && !retry) gather();
    });
  }

  /** Writes soon: with what comes until then, unless there is enough of it. */
  function gather(): void {
    if (waitingBytes >= WORTH_WRITING) start();
    else gathering ??= setTimeout(start, gatherFor).unref();
  }

  /**
   * The last chance: nothing asynchronous happens any more. Whether a write that is under way will get through is unknown; lines twice
   * can be told by their id, lines lost cannot.
   */
  function writeNow(): void {
    if (batch.length === 0 && waiting.length === 0) return;
    try {
      const descriptor = openSync(path, 'a', 0o600);
      for (const chunk of [batch, ...waiting.map(line => Buffer.from(line))]) writeSync(descriptor, chunk);
      closeSync(descriptor);
    } catch (error) {
      onDropped(waiting.length + 1);
      if (!failing) onError(error as Error);
    }
    waiting = [];
    batch = Buffer.alloc(0);
  }
  process.on('exit', writeNow);

  return {
    write(line) {
      const bytes = Buffer.byteLength(line);
      if (waitingBytes + bytes > maxWaiting) return onDropped(1);
      waiting.push(line);
      waitingBytes += bytes;
      if (!retry && !pumping) gather();
    },
    async flush() {
      do {
        start();
        await pumping;
      } while (waitingBytes > 0 && !retry);
    },
    async close() {
      start();
      await pumping;
      clearTimeout(retry);
      clearTimeout(gathering);
      process.off('exit', writeNow);
      writeNow();
      await closeFile();
    },
  };
}

const rotatedName = (path: string, time: number): string => {
  const extension = extname(path);
  const stamp = new Date(time).toISOString().replaceAll(':', '-').replace('Z', '');
  return join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`);
};

const STAMP = /^-(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3})$/;

async function removeOld({ path, maxBackups, maxAgeDays }: LineFileOptions): Promise<void> {
  const extension = extname(path);
  const stem = basename(path, extension);
  const rotated = (await readdir(dirname(path)))
    .flatMap(name => {
      if (!name.startsWith(stem) || !name.endsWith(extension)) return [];
      const stamp = STAMP.exec(name.slice(stem.length, name.length - extension.length));
      return stamp ? [{ name, time: Date.parse(`${stamp[1]}:${stamp[2]}:${stamp[3]}Z`) }] : [];
    })
    .sort((a, b) => b.time - a.time);
  const oldest = maxAgeDays > 0 ? Date.now() - maxAgeDays * DAY : 0;
  const surplus = rotated.filter(({ time }, i) => time < oldest || (maxBackups > 0 && i >= maxBackups));
  await Promise.all(surplus.map(({ name }) => unlink(join(dirname(path), name))));
}
