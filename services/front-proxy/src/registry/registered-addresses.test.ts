import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '@kcp-vw/pki/pki.ts';
import type { VirtualWorkspaceEndpoint } from '@kcp-vw/shared/registration/virtual-workspace.ts';
import { type Judgement, judgeEndpoints } from './judged-endpoints.ts';
import { CA, endpoint, instancesOf, JUDGEMENT, registeredFrom } from './registered.fixture.ts';
import type { RegisteredAddresses } from './registered-addresses.ts';
import { FakeRegistry } from './registry.fixture.ts';

const OTHER_CA = createAuthority({ commonName: 'other' }).certPem;

let fake: FakeRegistry;
let source: RegisteredAddresses;
let judgement: Judgement;
let changes: number;

const instances = (view = 'v') => instancesOf(source, view);
const refusals = (view = 'v') =>
  source
    .reports()
    .filter(({ object }) => object.metadata?.name === view)
    .flatMap(({ endpoints }) => endpoints.flatMap(one => ('refusal' in one ? `${one.instance}: ${one.refusal}` : [])));

async function follow(): Promise<void> {
  source = registeredFrom(fake, [], () => judgement);
  source.onChange(() => {
    changes += 1;
  });
  await fake.pass(2);
}

beforeEach(() => {
  fake = new FakeRegistry();
  changes = 0;
  judgement = JUDGEMENT;
});
afterEach(() => source.close());

describe('what is registered', () => {
  test('is served at once, a view that is new included', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    expect(source.addressesOf('v')).toMatchObject([
      { service: 'view:v', instance: 'a', url: 'https://a.example:6443', ready: true, ca: CA },
    ]);
    expect(source.addressesOf('w')).toBeUndefined();
    fake.view('w', []);
    await fake.clock.advance(0);
    expect(source.addressesOf('w')).toEqual([]);
    fake.view('w', [endpoint('b', { shard: 'two', ready: false })]);
    await fake.pass(1);
    expect(source.addressesOf('w')).toMatchObject([{ instance: 'b', shard: 'two', ready: false }]);
    expect(source.views()).toEqual(['v', 'w']);
  });

  test('is of the service that a shipped view belongs to', async () => {
    for (const view of ['apiexport', 'apiresourceschema']) fake.view(view, [endpoint('a')]);
    await follow();
    expect(['apiexport', 'apiresourceschema'].map(view => source.addressesOf(view)?.[0]?.service)).toEqual([
      'apiexport-vw',
      'apiexport-vw',
    ]);
  });

  // It would answer for the service whose readiness the front proxy waits for.
  test('is never of a service that somebody’s view is called like', async () => {
    fake.view('apiexport-vw', [endpoint('a')]);
    await follow();
    expect(source.addressesOf('apiexport-vw')?.[0]?.service).toBe('view:apiexport-vw');
  });

  test('may be any view until the first list is in, so that nobody is told that his view is none', async () => {
    fake.reachable = false;
    fake.view('v', [endpoint('a')]);
    await follow();
    expect([source.synced(), source.addressesOf('v'), source.addressesOf('w')]).toEqual([false, [], []]);
    fake.reachable = true;
    await fake.pass(5);
    expect([source.synced(), instances(), source.addressesOf('w')]).toEqual([true, ['a'], undefined]);
  });

  test('is no news when only a lease was renewed, or a condition was written', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    const before = changes;
    await fake.pass(40, () => fake.renew('v', 'a'));
    fake.view('v', [endpoint('a')]);
    await fake.pass(2);
    expect([changes - before, instances()]).toEqual([0, ['a']]);
  });

  // Each judgement decodes certificates: whoever may write one object could otherwise keep the front proxy from everything else.
  test('is judged once a second however often it is written, and then as it is last', async () => {
    let judgements = 0;
    source = registeredFrom(fake, [], () => {
      judgements += 1;
      return JUDGEMENT;
    });
    fake.view('v', [endpoint('a')]);
    await fake.pass(3);
    judgements = 0;
    for (let i = 0; i < 100; i += 1) {
      fake.view('v', [endpoint(`i${i}`)]);
      await fake.clock.advance(0);
    }
    expect([judgements, instances()]).toEqual([1, ['i0']]);
    expect(source.reports()[0]?.object.status?.endpoints?.[0]?.instance).toBe('i0');
    await fake.pass(1);
    expect([judgements, instances()]).toEqual([2, ['i99']]);
    fake.view('v', [endpoint('b')]);
    await fake.pass(1);
    fake.view('v', [endpoint('c')]);
    await fake.clock.advance(0);
    source.close();
    judgements = 0;
    await fake.pass(5);
    expect(judgements).toBe(0);
  });
});

describe('an entry is refused', () => {
  test.each<[string, Partial<VirtualWorkspaceEndpoint>, string]>([
    ['for its url', { url: 'https://user:secret@a.example' }, 'its url is not https://host:port and nothing else'],
    ['for its place', { url: 'https://127.0.0.1' }, '127.0.0.1:443 is not among the allowed endpoints'],
    ['for its authorities', { ca: OTHER_CA }, 'none of the authorities in its ca is in --services-ca-file'],
  ])('%s, and the others are not', async (_, wrong, reason) => {
    fake.view('v', [endpoint('a', wrong), endpoint('b')]);
    await follow();
    expect([instances(), refusals()]).toEqual([['b'], [`a: ${reason}`]]);
  });

  // It would be the end of a path, of a request with the front proxy's rights.
  test('for an instance that is no name', async () => {
    fake.view('v', [endpoint('../../a', { url: 'https://a.example' })]);
    await follow();
    await fake.pass(120);
    expect(refusals()).toEqual(['"../../a": its instance is no name of an object']);
    expect(fake.asked).toEqual([]);
  });

  test('when its view has too many', async () => {
    fake.view(
      'v',
      Array.from({ length: 51 }, (_, i) => endpoint(`i${String(i).padStart(3, '0')}`)),
    );
    await follow();
    expect([instances()?.length, refusals()]).toEqual([50, ['i050: a view has at most 50 endpoints']]);
  });

  // Entries of processes that never were, with names that come first.
  test('never because of those that nobody renews', async () => {
    fake.view('v', [...Array.from({ length: 60 }, (_, i) => endpoint(`a${i}`)), endpoint('real')]);
    await follow();
    expect(instances()).not.toContain('real');
    await fake.pass(40, () => fake.renew('v', 'real'));
    expect(instances()).toEqual(['real']);
  });

  // A bundle of hundreds of certificates would be decoded for each of them.
  test('or not by a bundle that is read once for all of a view', () => {
    let reads = 0;
    const spec = {
      path: '/services/v',
      get caBundle() {
        reads += 1;
        return Buffer.from(CA).toString('base64');
      },
    };
    const entries = Array.from({ length: 20 }, (_, i) => endpoint(`i${i}`));
    expect(judgeEndpoints('v', spec, entries, JUDGEMENT, () => true).filter(one => 'address' in one)).toHaveLength(20);
    expect(reads).toBe(1);
  });

  test('where the object and the flag do not both allow it', async () => {
    fake.view('v', [endpoint('a'), endpoint('b')], { allowedEndpoints: ['a.example', 'c.elsewhere'] });
    fake.view('w', [endpoint('c', { url: 'https://c.elsewhere' })], { allowedEndpoints: ['c.elsewhere'] });
    fake.view('x', [endpoint('a')], { allowedEndpoints: [] });
    fake.view('y', [endpoint('a')], { allowedEndpoints: ['https://a.example'] });
    await follow();
    expect(['v', 'w', 'x', 'y'].map(instances)).toEqual([['a'], [], [], []]);
    expect(refusals('y')).toEqual([
      'a: spec.allowedEndpoints: "https://a.example" is no host, *.domain, IP address or CIDR range, with :port or without',
    ]);
  });

  test('as soon as what it is judged by has changed', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    judgement = { ...judgement, servicesCA: undefined };
    source.judgeAgain();
    expect([instances(), refusals()]).toEqual([
      [],
      ['a: nothing says whose certificates count there: neither spec.caBundle nor --services-ca-file'],
    ]);
  });

  test('by the bundle of its own view only', async () => {
    fake.view('v', [endpoint('a')], { caBundle: Buffer.from(OTHER_CA).toString('base64') });
    await follow();
    expect(source.addressesOf('v')).toMatchObject([{ ca: OTHER_CA }]);
  });
});

describe('a view that is deleted', () => {
  test('is unknown after a moment', async () => {
    fake.view('v', [endpoint('a')]);
    await follow();
    fake.removeView('v');
    await fake.pass(1);
    expect(instances()).toEqual(['a']);
    expect(source.reports()).toEqual([]);
    await fake.pass(10);
    expect([source.addressesOf('v'), source.views()]).toEqual([undefined, []]);
  });

  test('and made again keeps its endpoints until their processes have noticed', async () => {
    fake.view('v', [endpoint('a')]);
    fake.renew('v', 'a');
    await follow();
    fake.removeView('v');
    fake.view('v', []);
    await fake.pass(10, () => fake.renew('v', 'a'));
    expect(instances()).toEqual(['a']);
    fake.view('v', [endpoint('b')]);
    await fake.pass(1);
    expect(instances()).toEqual(['b']);
    fake.view('v', []);
    await fake.pass(1);
    expect(instances()).toEqual([]);
  });

  test('and made again keeps none that nobody writes again, or that the new object does not allow', async () => {
    fake.view('v', [endpoint('a')]);
    fake.view('w', [endpoint('a')]);
    await follow();
    fake.removeView('v');
    fake.view('v', []);
    fake.removeView('w');
    fake.view('w', [], { allowedEndpoints: ['b.example'] });
    await fake.pass(1);
    expect([instances('v'), instances('w')]).toEqual([['a'], []]);
    await fake.pass(16, () => fake.renew('v', 'a'));
    expect(instances('v')).toEqual([]);
  });
});
