import { describe, expect, test } from '@jest/globals';
import { fleet, leafPem, setUp, setUpRegistered } from './registrar.fixture.ts';
import { FakeRegistry } from './registry.fixture.ts';

const ENTRY = { instance: 'host-1', url: 'https://host-1:7443', ready: true };

describe('a process that registers', () => {
  test('applies its own entry and nothing else, as itself, on the status', async () => {
    const fake = new FakeRegistry();
    fake.install('notes');
    await setUp({ advertisedUrl: 'https://host-1:7443/', shard: 'root' }, fake);
    const [applied] = fake.requests.filter(({ path }) => path.includes('/status'));
    expect(applied).toMatchObject({
      method: 'PATCH',
      path: '/clusters/root/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces/notes/status?fieldManager=host-1&force=true',
      headers: ['content-type', 'application/apply-patch+yaml', 'accept', 'application/json'],
    });
    expect(JSON.parse(applied?.body ?? '')).toEqual({
      apiVersion: 'virtualworkspaces.kcp.io/v1alpha1',
      kind: 'VirtualWorkspace',
      metadata: { name: 'notes' },
      status: { endpoints: [{ ...ENTRY, shard: 'root' }] },
    });
  });

  test('has a lease in the namespace of the view before its entry is seen', async () => {
    const fake = new FakeRegistry();
    fake.install('notes');
    await setUp({}, fake);
    expect(fake.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /clusters/root/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces/notes',
      'PATCH /clusters/root/apis/coordination.k8s.io/v1/namespaces/virtualworkspace-notes/leases/host-1?fieldManager=host-1&force=true',
      'PATCH /clusters/root/apis/virtualworkspaces.kcp.io/v1alpha1/virtualworkspaces/notes/status?fieldManager=host-1&force=true',
    ]);
    expect(JSON.parse(fake.requests[1]?.body ?? '')).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'host-1', namespace: 'virtualworkspace-notes' },
      spec: {
        holderIdentity: 'host-1',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
      },
    });
  });

  test('renews its lease every third of its duration, and says nothing anew of what has not changed', async () => {
    const { fake, pass } = await setUpRegistered();
    await pass(4_750);
    expect(fake.takeRequests()).toEqual([]);
    await pass(250);
    expect(fake.takeRequests()).toEqual(['GET virtualworkspaces/notes', 'PATCH leases/host-1']);
    expect(fake.lease('notes', 'host-1')).toMatchObject({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:05.000000Z',
    });
    await pass(5_000);
    expect(fake.takeRequests()).toEqual(['GET virtualworkspaces/notes', 'PATCH leases/host-1']);
  });

  test('renews earlier by up to a fifth, so that a fleet does not come at once', async () => {
    const { fake, pass } = await setUpRegistered({ random: () => 0.999 });
    await pass(4_250);
    expect(fake.takeRequests()).toContain('PATCH leases/host-1');
  });

  test('has an entry and a lease for each of its views', async () => {
    const { fake } = await setUpRegistered({ views: ['notes', 'memos'] });
    expect([fake.entries('notes'), fake.entries('memos')]).toEqual([[ENTRY], [ENTRY]]);
    expect([...fake.leases.keys()].sort()).toEqual(['virtualworkspace-memos/host-1', 'virtualworkspace-notes/host-1']);
  });

  test('leaves the entries of others alone', async () => {
    const fake = new FakeRegistry();
    fake.install('notes');
    const other = { ...ENTRY, instance: 'host-2' };
    fake.objects.get('notes')?.set('host-2', [other]);
    const { registrar, pass } = await setUp({}, fake);
    expect(fake.entries('notes')).toEqual([other, ENTRY]);
    const ended = registrar.withdraw();
    await pass(250);
    await ended;
    expect(fake.entries('notes')).toEqual([other]);
  });

  test('tells within a second that it is not ready any more, and that it is again', async () => {
    const all = await setUpRegistered();
    for (const ready of [false, true]) {
      await all.pass(25_000);
      all.ready = ready;
      await all.pass(750);
      expect(all.fake.entries('notes')).toEqual([{ ...ENTRY, ready }]);
    }
  });

  test('tells of one change and not of each when it wavers, and in the end what holds', async () => {
    const all = await setUpRegistered();
    for (let i = 0; i < 120; i += 1) {
      all.ready = i % 2 === 0;
      await all.pass(500);
    }
    // A minute, and 120 changes.
    const told = all.fake.takeRequests().filter(request => request.endsWith('/status')).length;
    expect(told).toBeGreaterThan(3);
    expect(told).toBeLessThan(20);
    all.ready = true;
    await all.pass(10_000);
    expect(all.fake.entries('notes')).toEqual([ENTRY]);
  });
});

describe('the authorities of a registered process', () => {
  test('are those that follow its certificate in the file', async () => {
    const { fake } = await setUpRegistered({
      tls: { context: { cert: Buffer.from(leafPem + fleet.certPem) }, onChange: () => () => undefined },
    });
    expect(fake.entries('notes')).toEqual([{ ...ENTRY, ca: fleet.certPem }]);
  });

  test('follow the file', async () => {
    const { fake, serve, pass } = await setUpRegistered();
    expect(fake.entries('notes')).toEqual([ENTRY]);
    await pass(1_000);
    serve(leafPem + fleet.certPem);
    await pass(250);
    expect(fake.entries('notes')).toEqual([{ ...ENTRY, ca: fleet.certPem }]);
  });
});

describe('a process that ends', () => {
  test('is not ready before it drains, although it is well', async () => {
    const { fake, registrar, lines, pass } = await setUpRegistered();
    const drained = registrar.drain();
    await pass(0);
    await drained;
    expect(fake.entries('notes')).toEqual([{ ...ENTRY, ready: false }]);
    expect(fake.lease('notes', 'host-1')).toBeDefined();
    // It drains for long: it stays not ready, and alive.
    fake.takeRequests();
    await pass(10_000);
    expect(fake.entries('notes')).toEqual([{ ...ENTRY, ready: false }]);
    expect(fake.takeRequests()).toContain('PATCH leases/host-1');
    expect(lines.filter(([level]) => level === 'warn')).toEqual([]);
  });

  test('takes its entry back, then its lease, and is heard of no more', async () => {
    const { fake, registrar, pass } = await setUpRegistered();
    const ended = registrar.withdraw();
    await pass(250);
    await ended;
    expect(fake.requests.map(({ body }) => body)).toEqual([
      JSON.stringify({ apiVersion: 'virtualworkspaces.kcp.io/v1alpha1', kind: 'VirtualWorkspace', metadata: { name: 'notes' } }),
      '',
    ]);
    expect(fake.takeRequests()).toEqual(['PATCH virtualworkspaces/notes/status', 'DELETE leases/host-1']);
    expect([fake.entries('notes'), fake.leases.size, fake.closed]).toEqual([[], 0, 1]);
    await pass(30_000);
    expect(fake.requests).toEqual([]);
  });

  // The registry may hang just when everything stops: the process has to end all the same.
  test('waits for the registry a second for the one and two for the other', async () => {
    const { fake, registrar, pass } = await setUpRegistered();
    fake.refuse = () => ({ open: true });
    for (const [end, milliseconds] of [
      [() => registrar.drain(), 1_000],
      [() => registrar.withdraw(), 2_000],
    ] as const) {
      let ended = false;
      const over = end().then(() => {
        ended = true;
      });
      await pass(milliseconds - 250);
      expect(ended).toBe(false);
      await pass(250);
      await over;
    }
    expect(fake.closed).toBe(1);
  });

  test('says what it could not take back', async () => {
    const { fake, registrar, lines, pass } = await setUpRegistered();
    fake.refuse = () => 'unreachable';
    const ended = registrar.withdraw();
    await pass(250);
    await ended;
    expect(lines.at(-1)).toEqual([
      'warn',
      expect.stringContaining('could not be withdrawn'),
      expect.objectContaining({ view: 'notes' }),
    ]);
  });

  test('has nothing to take back where it never came to register', async () => {
    const { registrar, fake, pass } = await setUp({ connect: () => Promise.reject(new Error('no registry')) });
    const ended = registrar.withdraw();
    await pass(250);
    await ended;
    expect(fake.requests).toEqual([]);
  });
});
