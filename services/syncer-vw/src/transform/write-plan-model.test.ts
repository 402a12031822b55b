import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import fc from 'fast-check';
import { asSeen } from './as-seen.ts';
import { summarizingRules } from './summarizing-rules.ts';
import { execute, letGo, planFor, taken } from './upstream.fixture.ts';
import {
  aKey,
  askToLeave,
  assign,
  isCrash,
  KEYS,
  type Key,
  letFree,
  named,
  RULES,
  STEPS,
  startedWorld,
  step,
  type World,
} from './world.fixture.ts';

const ruleFor = (object: KubeObject, path: string) => summarizingRules(object).find(rule => rule.path === path);
const hostOf = (object: KubeObject): unknown => (object.spec as { host?: unknown }).host;
const statusOf = (object: KubeObject): unknown => (object.status as { of: unknown } | undefined)?.of;

/** A write of one syncer changes nothing but what is its own; what the others see stays. */
function expectOwnChanges(before: KubeObject, after: KubeObject, of: Key): void {
  const own = [named.label(of), named.deletion(of), named.spec(of), ...KEYS.map(named.diff)];
  const others = ({ metadata, spec, status: _, ...rest }: KubeObject): unknown => ({
    rest,
    spec: { ...(spec as object), ...(ruleFor(before, 'spec.host') && { host: undefined }) },
    metadata: {
      ...metadata,
      resourceVersion: undefined,
      labels: without(metadata?.labels, own),
      annotations: without(metadata?.annotations, own),
      finalizers: (metadata?.finalizers ?? []).filter(one => one !== named.finalizer(of)).sort(),
    },
  });
  expect(others(after)).toEqual(others(before));
  for (const other of KEYS.filter(one => one !== of)) expect(shown(after, other)).toEqual(shown(before, other));
}

const without = (entries: Record<string, string> = {}, names: readonly string[]): unknown =>
  Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name)));

/** What a syncer sees, but for the version and for what is said of targets. */
function shown(object: KubeObject, of: Key): unknown {
  const result = asSeen(object, of);
  if (!('seen' in result)) return result;
  const { finalizers, deletionTimestamp } = result.seen.metadata ?? {};
  return { ...result.seen, metadata: { finalizers, deletionTimestamp } };
}

/** Nobody sees another's value, nor has lost its own. */
function expectOwnValues({ upstream, syncers }: World): void {
  for (const of of KEYS) {
    const result = asSeen(upstream.object, of);
    if (!('seen' in result)) continue;
    const { acknowledged } = syncers[of];
    expectValue(upstream.object, 'status', of, statusOf(result.seen), acknowledged.status);
    expectValue(upstream.object, 'spec.host', of, hostOf(result.seen), acknowledged.host);
  }
}

function expectValue(object: KubeObject, path: string, of: Key, value: unknown, acknowledged: number | undefined): void {
  const rule = ruleFor(object, path);
  if (!rule) return;
  // By a rule that does not promote, a syncer without a value of its own sees the upstream field: kcp's, as nothing is promoted to it.
  if (rule.promotes) expect(String(value ?? of)[0]).toBe(of);
  else expect([of, 'k', 'a']).toContain(String(value ?? of)[0]);
  if (acknowledged !== undefined) expect(Number(String(value).slice(1))).toBeGreaterThanOrEqual(acknowledged);
}

function viewIn({ upstream }: World, of: Key): KubeObject | undefined {
  const result = asSeen(upstream.object, of);
  return 'seen' in result ? result.seen : undefined;
}

function unlessCrash(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isCrash(error)) throw error;
  }
}

describe('whatever two syncers, kcp and users do with an object in turn', () => {
  test('no syncer changes what is not its own, sees what is another’s, or loses what was acknowledged', () => {
    fc.assert(
      fc.property(RULES, STEPS, (rules, steps) => {
        const world = startedWorld(rules);
        for (const one of steps) {
          step(world, one, expectOwnChanges);
          expectOwnValues(world);
        }
      }),
      { numRuns: 250 },
    );
  });

  test('a status that is reported until it is acknowledged is seen, and not stored again', () => {
    fc.assert(
      fc.property(RULES, STEPS, aKey, fc.nat({ max: 3 }), (rules, steps, of, crashes) => {
        const world = startedWorld(rules);
        for (const one of steps) step(world, one, expectOwnChanges);
        assign(world, of);
        const report = (crashAfter?: number): void => {
          const submitted = taken({ ...viewIn(world, of), status: { of: `${of}last` } }, of);
          execute(world.upstream, planFor(world.upstream, of, submitted, 'status'), crashAfter);
        };
        for (let i = 0; i < crashes; i++) unlessCrash(() => report(1));
        report();
        expect(viewIn(world, of)?.status).toEqual({ of: `${of}last` });
        world.upstream.puts.length = 0;
        report();
        expect(world.upstream.puts).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('a removal that is asked for ends, however often it crashes, and leaves nothing', () => {
    fc.assert(
      fc.property(RULES, STEPS, aKey, fc.nat({ max: 4 }), (rules, steps, of, crashes) => {
        const world = startedWorld(rules);
        for (const one of steps) step(world, one, expectOwnChanges);
        for (const prepare of [assign, askToLeave, letFree]) prepare(world, of);
        for (let attempts = 0; attempts <= crashes; attempts++) {
          const view = viewIn(world, of);
          if (!view) break;
          const before = world.upstream.object;
          unlessCrash(() =>
            execute(world.upstream, planFor(world.upstream, of, letGo(view), ''), attempts < crashes ? 1 : undefined),
          );
          expectOwnChanges(before, world.upstream.object, of);
          expectOwnValues(world);
        }
        const { labels, annotations, finalizers } = world.upstream.object.metadata ?? {};
        expect(Object.keys({ ...labels, ...annotations }).filter(name => name.endsWith(`/${of}`))).toEqual([]);
        expect(finalizers).not.toContain(named.finalizer(of));
        expect(finalizers).toContain('other');
      }),
      { numRuns: 100 },
    );
  });
});
