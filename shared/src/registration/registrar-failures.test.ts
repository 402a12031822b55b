/** What a registrar does when the registry is not as it should be: it goes on, and says so once. */
import { describe, expect, test } from '@jest/globals';
import { type Line, setUp, setUpRegistered } from './registrar.fixture.ts';
import { FakeRegistry, statusOf } from './registry.fixture.ts';

const ENTRY = { instance: 'host-1', url: 'https://host-1:7443', ready: true };
const told = (lines: Line[]): string[] => lines.splice(0).map(([level, message]) => `${level}: ${message}`);

describe('a view that is not installed', () => {
  test('is waited for, one to ten seconds between two looks, and said once', async () => {
    const { fake, lines, pass } = await setUp();
    await pass(60_000);
    const looks = fake.takeRequests();
    expect(new Set(looks)).toEqual(new Set(['GET virtualworkspaces/notes']));
    expect(looks.length).toBeGreaterThan(6);
    expect(looks.length).toBeLessThan(20);
    expect(told(lines)).toEqual(['warn: not registered: "notes" is not installed there; waiting for it']);
  });

  test('has its entry within ten seconds of being installed', async () => {
    const { fake, lines, pass } = await setUp();
    await pass(60_000);
    fake.install('notes');
    await pass(10_000);
    expect(fake.entries('notes')).toEqual([ENTRY]);
    expect(told(lines).at(-1)).toBe('info: registered');
  });

  test('that is deleted and made again has its entry back within the duration of a lease', async () => {
    const { fake, pass } = await setUpRegistered();
    await pass(20_000);
    // Between two looks, so that nobody has seen that it was away.
    fake.objects.delete('notes');
    fake.install('notes');
    expect(fake.entries('notes')).toEqual([]);
    await pass(5_000);
    expect(fake.entries('notes')).toEqual([ENTRY]);
    // And away for long.
    fake.objects.delete('notes');
    await pass(30_000);
    fake.install('notes');
    await pass(10_000);
    expect(fake.entries('notes')).toEqual([ENTRY]);
  });

  test('does not keep another one waiting', async () => {
    const fake = new FakeRegistry();
    fake.install('notes');
    await setUp({ views: ['gone', 'notes'] }, fake);
    expect(fake.entries('notes')).toEqual([ENTRY]);
  });
});

test('An entry that somebody else has changed is put right at the next renewal', async () => {
  const { fake, pass } = await setUpRegistered();
  fake.objects.get('notes')?.set('host-1', [{ ...ENTRY, url: 'https://elsewhere:1' }]);
  await pass(5_000);
  expect(fake.entries('notes')).toEqual([ENTRY]);
});

test('A lease that somebody has deleted is made again', async () => {
  const { fake, pass } = await setUpRegistered();
  fake.leases.clear();
  await pass(5_000);
  expect(fake.lease('notes', 'host-1')).toBeDefined();
});

describe('a registry that is out of reach', () => {
  test('is tried again and said once, and once more when it is back', async () => {
    const all = await setUpRegistered({ views: ['notes', 'memos'] });
    const { fake, lines, pass } = all;
    expect(told(lines)).toEqual(['info: registered', 'info: registered']);
    fake.refuse = () => 'unreachable';
    await pass(60_000);
    expect(told(lines)).toEqual(['warn: the registry cannot be reached; serving goes on, and so does trying']);
    all.ready = false;
    await pass(1_000);
    fake.refuse = () => undefined;
    await pass(10_000);
    expect(told(lines)).toEqual(['info: the registry answers again']);
    expect(fake.entries('notes')).toEqual([{ ...ENTRY, ready: false }]);
  });

  test('is told again of a change whose answer was lost', async () => {
    const all = await setUpRegistered();
    all.fake.refuse = ({ path }) => (path.includes('/status') ? 'reset' : undefined);
    all.ready = false;
    await all.pass(500);
    all.ready = true;
    all.fake.refuse = () => undefined;
    all.fake.takeRequests();
    await all.pass(3_000);
    // What it has is not known, although it is what it had.
    expect(all.fake.takeRequests()).toContain('PATCH virtualworkspaces/notes/status');
  });

  test('is looked for until there is one, and that is said once', async () => {
    let attempts = 0;
    const fake = new FakeRegistry();
    fake.install('notes');
    const connect = async () => {
      attempts += 1;
      if (attempts < 5) throw new Error(`the root shard is not up (${attempts})`);
      return fake.registry;
    };
    const { lines, pass } = await setUp({ connect }, fake);
    await pass(60_000);
    expect(fake.entries('notes')).toEqual([ENTRY]);
    expect(told(lines)).toEqual([
      'warn: the registry cannot be reached; serving goes on, and so does trying',
      'info: the registry answers again',
      'info: registered',
    ]);
  });

  test('is looked for anew when it has failed three times: it may have moved', async () => {
    const [first, second] = [new FakeRegistry(), new FakeRegistry()];
    for (const fake of [first, second]) fake.install('notes');
    const registries = [first.registry, second.registry];
    const { pass } = await setUp({ connect: async () => registries.shift() ?? second.registry }, first);
    first.refuse = () => 'unreachable';
    await pass(30_000);
    expect(second.entries('notes')).toEqual([ENTRY]);
    expect(first.closed).toBe(1);
  });

  test('is kept when nothing else is found', async () => {
    const fake = new FakeRegistry();
    fake.install('notes');
    let found = 0;
    const connect = async () => {
      found += 1;
      if (found > 1) throw new Error('the cache server is away as well');
      return fake.registry;
    };
    const all = await setUp({ connect }, fake);
    fake.refuse = () => 'unreachable';
    await all.pass(60_000);
    expect([found > 1, fake.closed]).toEqual([true, 0]);
    fake.refuse = () => undefined;
    all.ready = false;
    await all.pass(12_000);
    expect(fake.entries('notes')).toEqual([{ ...ENTRY, ready: false }]);
  });
});

test('A process that wavers does not try more often while it is refused, and once at its end', async () => {
  const all = await setUpRegistered();
  all.fake.refuse = ({ path }) => (path.includes('/status') ? statusOf(429, 'too many requests') : undefined);
  for (let i = 0; i < 120; i += 1) {
    all.ready = i % 2 === 0;
    await all.pass(500);
  }
  const attempts = (): number => all.fake.takeRequests().filter(request => request.endsWith('/status')).length;
  expect(attempts()).toBeLessThan(20);
  const drained = all.registrar.drain();
  await all.pass(0);
  await drained;
  expect(attempts()).toBe(1);
});

describe('a right that is missing', () => {
  const cases = [
    ['GET', 'virtualworkspaces/notes', 'get virtualworkspaces "notes"'],
    ['PATCH', 'virtualworkspaces/notes/status', 'patch virtualworkspaces/status "notes"'],
    ['PATCH', 'leases/host-1', 'create and patch leases "host-1" in namespace "virtualworkspace-notes"'],
  ] as const;
  test.each(cases)('is named once: %s %s', async (method, part, right) => {
    const fake = new FakeRegistry();
    fake.install('notes');
    const isIt = (request: { method: string; path: string }): boolean =>
      request.method === method && new URL(request.path, 'https://x').pathname.endsWith(part);
    fake.refuse = request => (isIt(request) ? statusOf(403, 'User "team" cannot do that') : undefined);
    const { lines, pass } = await setUp({}, fake);
    await pass(30_000);
    expect(lines.splice(0)).toEqual([
      [
        'warn',
        `not registered: the right is missing to ${right}; trying again`,
        { view: 'notes', reason: 'https://registry.test/clusters/root answered 403: User "team" cannot do that' },
      ],
    ]);
    fake.refuse = () => undefined;
    await pass(10_000);
    expect([fake.entries('notes'), told(lines)]).toEqual([[ENTRY], ['info: registered']]);
  });

  test('is told apart from another refusal, whose words are in the log', async () => {
    const fake = new FakeRegistry();
    fake.install('notes');
    fake.refuse = ({ path }) => (path.includes('/status') ? statusOf(422, 'status.endpoints[0].url: Invalid value') : undefined);
    const { lines, pass } = await setUp({}, fake);
    await pass(30_000);
    expect(lines).toEqual([
      [
        'warn',
        'not registered: it was refused to patch virtualworkspaces/status "notes"; trying again',
        expect.objectContaining({ reason: expect.stringContaining('422: status.endpoints[0].url: Invalid value') }),
      ],
    ]);
  });
});
