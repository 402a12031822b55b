import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@kcp-vw/shared/authn/identity.ts';
import type { ClientLimits } from '@kcp-vw/shared/config/options.ts';
import { createClientLimiter, Throttled } from './client-limits.ts';

const user = (name: string, groups: string[] = []): Caller => ({ name, uid: '', groups, extra: {}, method: 'token' });
const anonymous: Caller = { ...user('system:anonymous'), method: 'anonymous' };
const ada = user('ada');

/** A limiter with a clock that the test moves. */
function limiterOf(limits: Partial<ClientLimits>, maxClients?: number) {
  const clock = { milliseconds: 1_000 };
  const limiter = createClientLimiter(
    { requestsInFlight: 0, watches: 0, requestsPerSecond: 0, burst: 100, ...limits },
    { now: () => clock.milliseconds, ...(maxClients !== undefined && { maxClients }) },
  );
  const admit = (caller = ada, kind: 'unary' | 'stream' = 'unary', address = '192.0.2.1') => limiter.admit(caller, address, kind);
  const refusal = (...request: Parameters<typeof admit>): Throttled => {
    try {
      admit(...request);
    } catch (error) {
      if (error instanceof Throttled) return error;
      throw error;
    }
    throw new Error('it was admitted');
  };
  return { limiter, clock, admit, refusal };
}

describe('the limits of a client', () => {
  test('hold for its requests in flight, and give each place back', () => {
    const { admit, refusal } = limiterOf({ requestsInFlight: 2 });
    const release = admit();
    admit();
    expect(refusal().status).toMatchObject({ code: 429, reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } });
    release();
    admit();
    expect(refusal().limit).toBe('requests');
  });

  test('count a place that is given back twice once', () => {
    const { admit, refusal } = limiterOf({ requestsInFlight: 2 });
    const release = admit();
    admit();
    release();
    release();
    admit();
    expect(refusal().limit).toBe('requests');
  });

  test('hold for its watches apart from its requests', () => {
    const { admit, refusal } = limiterOf({ requestsInFlight: 1, watches: 1 });
    admit(ada, 'stream');
    admit(ada, 'unary');
    expect(refusal(ada, 'stream').limit).toBe('watches');
    expect(refusal(ada, 'unary').limit).toBe('requests');
  });

  test('are its own: another client has as many', () => {
    const { admit, refusal } = limiterOf({ requestsInFlight: 1 });
    admit();
    admit(user('bob'));
    admit(anonymous, 'unary', '192.0.2.1');
    admit(anonymous, 'unary', '192.0.2.2');
    expect(refusal(anonymous, 'unary', '192.0.2.2').limit).toBe('requests');
  });

  test('do not exist for masters', () => {
    const { limiter, admit } = limiterOf({ requestsInFlight: 1 });
    for (let i = 0; i < 10; i++) admit(user('admin', ['system:masters']));
    expect(limiter.clients).toBe(0);
  });

  test('do not exist when they are all 0', () => {
    const { limiter, admit } = limiterOf({});
    for (let i = 0; i < 10; i++) admit()();
    expect(limiter.clients).toBe(0);
  });

  test('hold for its rate: a burst, then what comes in at the rate', () => {
    const { clock, admit, refusal } = limiterOf({ requestsPerSecond: 2, burst: 3 });
    for (let i = 0; i < 3; i++) admit()();
    expect(refusal()).toMatchObject({ limit: 'rate', status: { details: { retryAfterSeconds: 1 } } });
    clock.milliseconds += 500;
    admit()();
    expect(refusal().limit).toBe('rate');
    clock.milliseconds += 3_600_000;
    for (let i = 0; i < 3; i++) admit()();
    expect(refusal().limit).toBe('rate');
  });

  test('take nothing for a request that they refuse', () => {
    const { clock, admit, refusal } = limiterOf({ requestsPerSecond: 1, burst: 1 });
    admit()();
    for (let i = 0; i < 10; i++) refusal();
    clock.milliseconds += 1_000;
    admit()();
  });

  test('say when a place may be free, by how long places were held of late', () => {
    const { clock, admit, refusal } = limiterOf({ requestsInFlight: 2 });
    for (let i = 0; i < 200; i++) {
      const release = admit();
      clock.milliseconds += 10_000;
      release();
    }
    admit();
    admit();
    expect(refusal().status.details?.retryAfterSeconds).toBe(5);
  });

  test('say a minute at the most', () => {
    const { clock, admit, refusal } = limiterOf({ watches: 1 });
    for (let i = 0; i < 10; i++) {
      const release = admit(ada, 'stream');
      clock.milliseconds += 3_600_000;
      release();
    }
    admit(ada, 'stream');
    expect(refusal(ada, 'stream').status.details?.retryAfterSeconds).toBe(60);
  });
});

describe('the limits of service accounts', () => {
  /** The owner of a workspace makes any number of them, and sends requests as each. */
  const account = (name: string, cluster: string): Caller => ({
    ...user(`system:serviceaccount:default:${name}`),
    extra: { 'authentication.kcp.io/cluster-name': [cluster] },
  });

  test('hold for each of them, and for all of one logical cluster together at four times as much', () => {
    const { limiter, admit, refusal } = limiterOf({ requestsInFlight: 2, watches: 1 });
    admit(account('a0', 'one'));
    const release = admit(account('a0', 'one'));
    expect(refusal(account('a0', 'one')).message).toMatch(/this client/);
    for (let i = 1; i < 7; i++) admit(account(`a${i}`, 'one'));
    expect(refusal(account('a8', 'one'))).toMatchObject({
      limit: 'requests',
      message: expect.stringContaining('logical cluster'),
    });
    for (let i = 0; i < 4; i++) admit(account(`a${i}`, 'one'), 'stream');
    expect(refusal(account('a8', 'one'), 'stream').limit).toBe('watches');
    // Nobody else has less for it.
    admit(account('a0', 'two'));
    admit(user('ada'));
    expect(limiter.clients).toBe(8 + 1 + 1 + 2);
    release();
    release();
    admit(account('a8', 'one'));
    expect(refusal(account('a9', 'one')).limit).toBe('requests');
  });

  test('hold for their rate together, and a refused request takes nothing of it', () => {
    const { clock, admit, refusal } = limiterOf({ requestsPerSecond: 1, burst: 2 });
    for (let i = 0; i < 8; i++) admit(account(`a${i}`, 'one'))();
    for (let i = 0; i < 10; i++) expect(refusal(account('new', 'one')).limit).toBe('rate');
    clock.milliseconds += 250;
    admit(account('new', 'one'))();
    expect(refusal(account('new', 'one')).message).toMatch(/logical cluster/);
  });
});

describe('the name that a refused client has in metrics and audit', () => {
  test('is the same each time, another for each client, and tells nobody who it is', () => {
    const { admit, refusal } = limiterOf({ requestsInFlight: 1 });
    admit();
    admit(user('bob'));
    expect(refusal().client).toMatch(/^[0-9a-f]{8}$/);
    expect(refusal().client).toBe(refusal().client);
    expect(refusal().client).not.toBe(refusal(user('bob')).client);
    // Whoever guesses a name could otherwise hash it and look for it.
    const elsewhere = limiterOf({ requestsInFlight: 1 });
    elsewhere.admit();
    expect(elsewhere.refusal().client).not.toBe(refusal().client);
  });
});

describe('the memory of clients', () => {
  test('holds those that are busy, and few of the others', () => {
    const { limiter, admit } = limiterOf({ requestsInFlight: 1 });
    for (let i = 0; i < 300; i++) admit(user(`busy-${i}`));
    for (let i = 0; i < 50_000; i++) admit(user(`user-${i}`))();
    expect(limiter.clients).toBeLessThanOrEqual(1_000);
    expect(limiter.clients).toBeGreaterThanOrEqual(300);
  });

  test('keeps a client whose burst is used up until it has come back', () => {
    const { limiter, clock, admit, refusal } = limiterOf({ requestsPerSecond: 1, burst: 1 }, 2);
    admit()();
    admit(user('b'))();
    admit(user('c'))();
    expect(limiter.clients).toBe(2);
    expect(refusal().limit).toBe('rate');
    clock.milliseconds += 2_000;
    admit(user('d'))();
    expect(limiter.clients).toBe(1);
  });

  test('when it is full lets those it knows go on, and all others share what one has, strangers apart from users', () => {
    const { limiter, admit, refusal } = limiterOf({ requestsInFlight: 2 }, 2);
    const known = [user('a'), user('b')].map(caller => admit(caller));
    admit(user('c'));
    const release = admit(user('d'));
    expect(refusal(user('e')).limit).toBe('requests');
    admit(user('a'));
    admit(anonymous);
    release();
    admit(user('e'));
    expect(limiter.clients).toBe(2);
    expect(known).toHaveLength(2);
  });

  test('has place again when it is looked through after somebody has left', () => {
    const { limiter, clock, admit, refusal } = limiterOf({ requestsInFlight: 1 }, 2);
    const release = admit(user('a'));
    admit(user('b'));
    admit(user('c'));
    release();
    clock.milliseconds += 1_000;
    // It shares with c otherwise, who has taken what there is to share.
    admit(user('d'));
    expect(refusal(user('e')).limit).toBe('requests');
    expect(limiter.clients).toBe(2);
  });
});
