import { describe, expect, test } from '@jest/globals';
import { serviceUnavailable } from '@kcp-vw/shared/kube/errors.ts';
import { createApiDomains, EXPORT_INDEXES } from './api-domains.ts';
import {
  alice,
  type BindingParts,
  bindingAt,
  callTo,
  type ExportParts,
  exportAt,
  type FakeReviewer,
  fakeReviewer,
  LiveInformer,
  masters,
  ORDINARY_SHARD,
} from './apiexport.fixture.ts';
import type { ApiBinding, ApiExport, ApiResourceSchema } from './apis-kcp-io.ts';
import { authorize } from './authorization.ts';
import { BINDING_INDEXES } from './bindings.ts';

const AT = 'provider/cowboys.dev';
const COWBOYS = '/apis/dev/v1/cowboys';
const CONFIGMAPS = '/api/v1/configmaps';

interface World {
  readonly exported?: ExportParts | null;
  /** Of the logical cluster `consumer`. */
  readonly binding?: BindingParts | null;
  readonly reviewer?: FakeReviewer;
  readonly patience?: number;
}

function world({ exported = {}, binding = { bound: ['cowboys.dev'] }, reviewer = fakeReviewer(), patience = 0 }: World = {}) {
  const exports = new LiveInformer<ApiExport>(EXPORT_INDEXES);
  const bindings = new LiveInformer<ApiBinding>(BINDING_INDEXES);
  if (exported) exports.put(exportAt(AT, exported));
  if (binding) bindings.put(bindingAt('consumer/b', AT, binding));
  const schemas = new LiveInformer<ApiResourceSchema>();
  const domains = createApiDomains({ shardResources: ORDINARY_SHARD, exports, schemas, openapi: () => undefined, patience });
  const deepReviewer = fakeReviewer();
  const decide = (...call: Parameters<typeof callTo>) =>
    authorize(callTo(...call), { domains, bindings, reviewer, deepReviewer });
  return { exports, bindings, decide, reviewer, deepReviewer };
}

const isAllowed = async (made: ReturnType<typeof world>, ...call: Parameters<typeof callTo>): Promise<boolean> =>
  (await made.decide(...call)).allowed;

describe('masters', () => {
  test('are let in without any review, binding, or even export', async () => {
    const made = world({ exported: null, binding: null, reviewer: fakeReviewer(() => false) });
    expect(await isAllowed(made, 'consumer', COWBOYS, { method: 'DELETE', caller: masters })).toBe(true);
    expect([made.reviewer.asked, made.deepReviewer.asked]).toEqual([[], []]);
  });
});

describe('the content of an export', () => {
  test('is asked for in its logical cluster, for the verb of the request and the caller as he is', async () => {
    const made = world();
    expect(await isAllowed(made, 'consumer', `${COWBOYS}/one`, { method: 'PATCH' })).toBe(true);
    const resource = {
      group: 'apis.kcp.io',
      version: 'v1alpha1',
      resource: 'apiexports',
      subresource: 'content',
      name: 'cowboys.dev',
      verb: 'patch',
    };
    expect(made.reviewer.asked).toEqual([{ cluster: 'provider', user: alice, resource }]);
    expect(made.deepReviewer.asked).toEqual([]);
  });

  test.each([
    ['GET', COWBOYS, 'list'],
    ['GET', `${COWBOYS}?watch=1`, 'watch'],
    ['GET', `${COWBOYS}/one`, 'get'],
    ['POST', COWBOYS, 'create'],
    ['PUT', `${COWBOYS}/one/status`, 'update'],
    ['DELETE', `${COWBOYS}/one`, 'delete'],
    ['DELETE', COWBOYS, 'deletecollection'],
    ['GET', '/apis', 'get'],
    ['GET', '/version', 'get'],
  ])('for %s %s is a review of %s', async (method, path, verb) => {
    const made = world();
    await made.decide('consumer', path, { method });
    expect(made.reviewer.asked.map(({ resource }) => resource?.verb)).toEqual([verb]);
  });

  test('that the caller may not use is refused, without a word about why', async () => {
    const { decide } = world({ reviewer: fakeReviewer(() => false) });
    expect(await decide('*', COWBOYS)).toEqual({
      allowed: false,
      because: 'may not list the content of provider:cowboys.dev',
      told: 'access denied',
    });
  });

  test('that cannot be reviewed is no decision', async () => {
    const reviewer = { ...fakeReviewer(), review: () => Promise.reject(serviceUnavailable('the shard is away')) };
    await expect(world({ reviewer }).decide('*', COWBOYS)).rejects.toMatchObject({ code: 503 });
  });
});

describe('what a logical cluster has bound', () => {
  test('is asked before the content, and a no ends it', async () => {
    const made = world({ binding: { bound: ['others.dev'] } });
    expect(await made.decide('consumer', COWBOYS)).toEqual({
      allowed: false,
      because: 'APIBinding b accepts a claim to cowboys.dev not at all',
      told: 'access denied',
    });
    expect(made.reviewer.asked).toEqual([]);
  });

  test('is nothing without a binding', async () => {
    const made = world({ binding: null });
    expect(await made.decide('consumer', COWBOYS)).toMatchObject({ allowed: false, told: 'access denied' });
    expect(made.reviewer.asked).toEqual([]);
  });

  test('is not asked of all logical clusters at once', async () => {
    expect(await isAllowed(world({ binding: null }), '*', COWBOYS)).toBe(true);
  });

  test.each(['/', '/apis', '/api/v1', '/apis/dev/v1', '/openapi/v3', '/version'])('is not asked for %s', async path => {
    expect(await isAllowed(world({ binding: null }), 'consumer', path)).toBe(true);
  });

  test('opens all verbs of a bound resource', async () => {
    for (const method of ['GET', 'POST', 'DELETE']) expect(await isAllowed(world(), 'consumer', COWBOYS, { method })).toBe(true);
  });

  // kcp's server calls this an error (500), where nobody has bound the resource.
  test('is nothing for a path that names no resource', async () => {
    expect(await isAllowed(world(), 'consumer', '/api/v1/watch')).toBe(false);
  });
});

describe('a claim that a logical cluster accepts', () => {
  const claiming = (asked: readonly string[], accepted: readonly string[], state = 'Accepted') =>
    world({
      exported: { claims: [{ resource: 'configmaps', verbs: asked }] },
      binding: { claims: [{ resource: 'configmaps', verbs: accepted, state }] },
    });

  test.each([
    [['get', 'list'], ['list'], true],
    [['*'], ['*'], true],
    [['*', 'list'], ['list'], true],
    [['get'], ['list'], false],
    [['*'], ['list'], false],
    [['list'], ['*'], false],
    [['get'], ['get'], false],
    [[], [], false],
  ])('of %j, accepted for %j, allows a list: %s', async (asked, accepted, allowed) => {
    expect(await isAllowed(claiming(asked, accepted), 'consumer', CONFIGMAPS)).toBe(allowed);
  });

  test('is refused in words that name the verb, to the audit line only', async () => {
    expect(await claiming(['get'], ['get']).decide('consumer', CONFIGMAPS)).toEqual({
      allowed: false,
      because: 'APIBinding b accepts a claim to configmaps.core not for the verb list',
      told: 'access denied',
    });
  });

  test('allows nothing when it is rejected', async () => {
    expect(await isAllowed(claiming(['*'], ['*'], 'Rejected'), 'consumer', CONFIGMAPS)).toBe(false);
  });

  test('allows nothing that the export does not claim any more', async () => {
    const made = world({ binding: { claims: [{ resource: 'configmaps', verbs: ['*'], state: 'Accepted' }] } });
    expect(await isAllowed(made, 'consumer', CONFIGMAPS)).toBe(false);
  });

  // What was lent by one owner is not accepted of another, who calls his resource by the same name.
  test('allows nothing of another identity', async () => {
    const claim = (identityHash: string) => ({ group: 'wild', resource: 'sheriffs', verbs: ['*'], identityHash });
    const made = world({ exported: { claims: [claim('new')] }, binding: { claims: [{ ...claim('old'), state: 'Accepted' }] } });
    expect(await isAllowed(made, 'consumer', '/apis/wild/v1/sheriffs')).toBe(false);
  });

  test('to events allows these in both groups', async () => {
    const claims = [{ resource: 'events', verbs: ['list'] }];
    const made = world({ exported: { claims }, binding: { claims: claims.map(claim => ({ ...claim, state: 'Accepted' })) } });
    expect(await isAllowed(made, 'consumer', '/apis/events.k8s.io/v1/events')).toBe(true);
    expect(await isAllowed(made, 'consumer', '/api/v1/events')).toBe(true);
  });
});

describe('bindings', () => {
  const BINDINGS = '/apis/apis.kcp.io/v1alpha2/apibindings';
  test.each([
    ['GET', BINDINGS, true],
    ['GET', `${BINDINGS}?watch=1`, true],
    ['GET', `${BINDINGS}/b`, true],
    ['POST', BINDINGS, false],
    ['PUT', `${BINDINGS}/b`, false],
    ['PATCH', `${BINDINGS}/b`, false],
    ['DELETE', `${BINDINGS}/b`, false],
    ['DELETE', BINDINGS, false],
  ])('that nobody has claimed: %s %s: %s', async (method, path, allowed) => {
    expect(await isAllowed(world(), 'consumer', path, { method })).toBe(allowed);
  });

  test('can be written where a claim to them is accepted', async () => {
    const claims = [{ group: 'apis.kcp.io', resource: 'apibindings', verbs: ['create'] }];
    const made = world({ exported: { claims }, binding: { claims: claims.map(claim => ({ ...claim, state: 'Accepted' })) } });
    expect(await isAllowed(made, 'consumer', BINDINGS, { method: 'POST' })).toBe(true);
  });

  test('of a logical cluster that binds nothing cannot be read', async () => {
    expect(await isAllowed(world({ binding: null }), 'consumer', BINDINGS)).toBe(false);
  });
});

describe('an export that is not known here', () => {
  // Who may not use it learns nothing of whether it is there, and cannot make requests pile up.
  test('is not waited for by who may not use its content', async () => {
    const made = world({ exported: null, reviewer: fakeReviewer(() => false), patience: 60_000 });
    expect(await made.decide('*', COWBOYS)).toEqual({
      allowed: false,
      because: 'may not list the content of provider:cowboys.dev',
      told: 'access denied',
    });
  });

  test('is refused after a while as anything else is', async () => {
    expect(await world({ exported: null }).decide('*', COWBOYS)).toEqual({
      allowed: false,
      because: 'there is no APIExport provider:cowboys.dev',
      told: 'access denied',
    });
  });

  test.each([
    ['cowboys.dev', true],
    ['others.dev', false],
  ])('is decided about as ever when it appears: %s is bound: %s', async (bound, allowed) => {
    const made = world({ exported: null, binding: { bound: [bound] }, patience: 60_000 });
    const decision = made.decide('consumer', COWBOYS);
    await new Promise(setImmediate);
    made.exports.put(exportAt(AT));
    expect((await decision).allowed).toBe(allowed);
    expect(made.reviewer.asked).toHaveLength(1);
  });
});
