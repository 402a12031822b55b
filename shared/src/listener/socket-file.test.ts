import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../config/options.ts';
import { cleanUp, echo, onCleanUp, temporaryFolder } from './listener.fixture.ts';
import { createListener } from './listener.ts';

afterEach(cleanUp);

const CONNECTIONS = 1_000;

/** What the system lets wait, whatever a program asks for. */
function systemLimit(): number {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return 0;
  }
}

// With Node's backlog of 511 the kernel refused the rest, and a front proxy answered 503 to a thousand users that came at once.
(systemLimit() > CONNECTIONS ? test : test.skip)('a socket takes a thousand connections that are made in one go', async () => {
  const socketPath = join(temporaryFolder(), 's');
  const listener = await createListener({
    address: { socketPath },
    limits: DEFAULT_LIMITS,
    handler: echo,
    onError: () => undefined,
  });
  onCleanUp(() => listener.close());
  const outcomes = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => {
      const socket = connect(socketPath);
      onCleanUp(() => void socket.destroy());
      return new Promise<string | undefined>(resolve => {
        socket.once('connect', () => resolve('connected'));
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      });
    }),
  );
  expect(new Set(outcomes)).toEqual(new Set(['connected']));
});
