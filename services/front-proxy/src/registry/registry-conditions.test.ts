import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { VirtualWorkspaceEndpoint } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { endpoint, registeredFrom } from './registered.fixture.ts';
import type { RegisteredAddresses } from './registered-addresses.ts';
import { FakeRegistry } from './registry.fixture.ts';
import { writeConditions } from './registry-conditions.ts';

const STATUS = '/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces/v/status';

let fake: FakeRegistry;
let registered: RegisteredAddresses;
let stop: () => void;
let warnings: string[];
let date: Date;

const said = () =>
  fake.object('v')?.status?.conditions?.map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);

async function follow(): Promise<void> {
  const { registry, clock } = fake;
  registered = registeredFrom(fake, warnings);
  const log = { warn: (...args: unknown[]) => void warnings.push(String(args.at(-1))) };
  stop = writeConditions({ registry, registered, log, clock, date: () => date });
  await fake.pass(1);
}

beforeEach(() => {
  fake = new FakeRegistry();
  warnings = [];
  date = new Date('2031-01-02T03:04:05.678Z');
});
afterEach(() => {
  stop();
  registered.close();
});

describe('the conditions of a view', () => {
  test('say that it is available, and are applied as all front proxies', async () => {
    fake.view('v', [endpoint('a'), endpoint('b', { ready: false })]);
    await follow();
    expect(fake.writes).toMatchObject([
      { method: 'PATCH', path: STATUS, manager: 'kcp-vw-front-proxy', body: { metadata: { name: 'v' } } },
    ]);
    expect(fake.object('v')?.status?.conditions).toEqual([
      {
        type: 'Available',
        status: 'True',
        reason: 'EndpointReady',
        message: '1 of 2 endpoints are ready',
        observedGeneration: 1,
        lastTransitionTime: '2031-01-02T03:04:05Z',
      },
      {
        type: 'EndpointsAccepted',
        status: 'True',
        reason: 'AllAccepted',
        message: 'no endpoint is refused',
        observedGeneration: 1,
        lastTransitionTime: '2031-01-02T03:04:05Z',
      },
    ]);
  });

  test.each<[string, VirtualWorkspaceEndpoint[], string]>([
    ['nobody has registered', [], 'Available False NoEndpoints: no process has registered'],
    ['nobody is ready', [endpoint('a', { ready: false })], 'Available False NoneReady: none of 1 endpoints is ready'],
    [
      'nobody is accepted',
      [endpoint('a', { url: 'https://x' })],
      'Available False NoneAccepted: none of 1 endpoints is accepted',
    ],
  ])('say that it is not when %s', async (_, endpoints, expected) => {
    fake.view('v', endpoints);
    await follow();
    expect(said()?.[0]).toBe(expected);
  });

  test('say that nobody is alive', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    await fake.pass(25);
    expect(said()?.[0]).toBe('Available False LeasesExpired: none of 1 endpoints has renewed its lease');
  });

  test('name what is refused, sorted, and not without end', async () => {
    const wrong = Array.from({ length: 12 }, (_, i) => endpoint(`i${String(11 - i).padStart(2, '0')}`, { url: 'https://x' }));
    fake.view('v', wrong);
    await follow();
    const told = Array.from({ length: 10 }, (_, i) => `i0${i}: x:443 is not among the allowed endpoints`);
    expect(said()?.[1]).toBe(`EndpointsAccepted False EndpointsRefused: ${[...told, 'and 2 more'].join('; ')}`);
  });
});

describe('they are written', () => {
  test('when they change, and not more often than every five seconds', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    await fake.pass(30, () => fake.renew('v', 'a'));
    expect(fake.writes).toHaveLength(1);
    let ready = true;
    await fake.pass(21, () => {
      ready = !ready;
      fake.renew('v', 'a');
      fake.view('v', [endpoint('a', { ready })]);
    });
    expect(fake.writes.length).toBeGreaterThan(2);
    expect(fake.writes.length).toBeLessThanOrEqual(6);
    await fake.pass(7);
    expect(said()?.[0]).toBe(
      `Available ${ready ? 'True EndpointReady: 1 of 1 endpoints are' : 'False NoneReady: none of 1 endpoints is'} ready`,
    );
  });

  test('with the time of the change of each one by itself', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    date = new Date('2031-01-02T04:00:00Z');
    fake.view('v', [endpoint('a', { ready: false })]);
    await fake.pass(6);
    expect(fake.object('v')?.status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
      '2031-01-02T04:00:00Z',
      '2031-01-02T03:04:05Z',
    ]);
  });

  test('not at all when they stand there already, as a front proxy finds them that starts anew', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    stop();
    registered.close();
    await follow();
    expect(fake.writes).toHaveLength(1);
  });

  // Two front proxies that see different things would write for ever.
  test('once for each change, whatever another front proxy writes over them', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    const object = fake.object('v');
    Object.assign(object?.status ?? {}, { conditions: [] });
    fake.view('v', [endpoint('a')]);
    await fake.pass(20, () => fake.renew('v', 'a'));
    expect(fake.writes).toHaveLength(1);
  });

  test('again into an object that was made anew', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    fake.removeView('v');
    fake.view('v', [endpoint('a')]);
    await fake.pass(6);
    expect(fake.writes).toHaveLength(2);
    expect(said()).toHaveLength(2);
  });

  test('when the registry takes them again', async () => {
    fake.view('v', [endpoint('a')]);
    fake.refuses.set(`PATCH ${STATUS}`, 500);
    await follow();
    await fake.pass(20);
    expect(warnings).toEqual(['the conditions of a view could not be written; trying again']);
    fake.refuses.clear();
    await fake.pass(6);
    expect(said()).toHaveLength(2);
  });

  // Who may write the rights of one object could otherwise end it for all.
  test('of the others when one of them may not be written', async () => {
    for (const view of ['v', 'w']) fake.view(view, [endpoint('a')]);
    fake.refuses.set(`PATCH ${STATUS}`, 403);
    await follow();
    fake.view('w', []);
    await fake.pass(6);
    expect([said(), fake.object('w')?.status?.conditions?.[0]?.reason]).toEqual([undefined, 'NoEndpoints']);
  });

  test('not for ten minutes by a front proxy that may not, which says so once', async () => {
    for (const view of ['v', 'w']) fake.view(view, [endpoint('a')]);
    for (const view of ['v', 'w']) fake.refuses.set(`PATCH ${STATUS.replace('/v/', `/${view}/`)}`, 403);
    await follow();
    fake.refuses.clear();
    fake.view('v', []);
    await fake.pass(500);
    expect(fake.writes).toEqual([]);
    expect(warnings.filter(text => text.includes('conditions'))).toEqual([
      'the conditions of a view are not written, for this front proxy may not',
    ]);
    await fake.pass(120);
    expect(said()?.[0]).toBe('Available False NoEndpoints: no process has registered');
  });
});
