import { describe, expect, test } from '@jest/globals';
import { StatusError } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { AdmittedWrite } from '@kcp-vw/shared/view/view.ts';
import fc from 'fast-check';
import { bindingAt, callTo } from './apiexport.fixture.ts';
import type { AcceptableClaim, ClaimSelector } from './apis-kcp-io.ts';
import { selectorAdmission } from './selector-admission.ts';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
type Operation = AdmittedWrite['operation'];

const claimOf = (selector: ClaimSelector): AcceptableClaim => ({ resource: 'configmaps', state: 'Accepted', selector });
const bindingOf = (...claims: readonly AcceptableClaim[]) => bindingAt('consumer/b', 'provider/cowboys.dev', { claims });

const admitOf = (selector: ClaimSelector, path = `${CONFIGMAPS}/one`) =>
  selectorAdmission(bindingOf(claimOf(selector)), callTo('consumer', path, { method: 'PUT' }).request);

const object = (labels?: Record<string, string>): KubeObject => ({ metadata: { name: 'one', ...(labels && { labels }) } });

/** What becomes of a write: an error's message, the labels that are added, or `as it is`. */
function outcome(selector: ClaimSelector, operation: Operation, labels?: Record<string, string>, stored = labels): unknown {
  const admit = admitOf(selector);
  if (admit === undefined) return 'as it is';
  const write = {
    operation,
    ...(operation !== 'delete' && { proposed: object(labels) }),
    ...(operation !== 'create' && { stored: object(stored) }),
  };
  const answer = admit(write);
  return answer instanceof StatusError ? `${answer.code} ${answer.message}` : (answer?.labels ?? 'as it is');
}

const REFUSED = '403 configmaps "one" is forbidden: object does not match required labels';
const red = { matchLabels: { color: 'red' } };
const notSmall = { matchExpressions: [{ key: 'size', operator: 'NotIn', values: ['small'] }] };
const anySize = { matchExpressions: [{ key: 'size', operator: 'In', values: ['large', 'small'] }] };

describe('a write to what a claim limits by labels', () => {
  test.each<[string, ClaimSelector, Operation, Record<string, string> | undefined, unknown]>([
    ['is given the labels that it lacks', red, 'create', { a: 'b' }, { color: 'red' }],
    ['is given them where it has none at all', red, 'create', undefined, { color: 'red' }],
    ['is given only those that it lacks', { matchLabels: { a: 'b', color: 'red' } }, 'create', { a: 'b' }, { color: 'red' }],
    ['is as it is where it has them', red, 'create', { color: 'red' }, 'as it is'],
    ['that updates is given again what it dropped', red, 'update', {}, { color: 'red' }],
    ['that updates is as it is where it has them', red, 'update', { color: 'red' }, 'as it is'],
    [
      'is refused with another value',
      red,
      'create',
      { color: 'blue' },
      '403 configmaps "one" is forbidden: protected label color must have value red',
    ],
    [
      'that updates is refused with another value',
      red,
      'update',
      { color: '' },
      '403 configmaps "one" is forbidden: protected label color must have value red',
    ],
    ['is never given what an expression asks for', anySize, 'create', {}, REFUSED],
    ['is taken if it meets an expression', anySize, 'create', { size: 'large' }, 'as it is'],
    ['is refused if it meets none', anySize, 'update', { size: 'medium' }, REFUSED],
    ['is taken where nothing is asked to be there', notSmall, 'create', {}, 'as it is'],
    ['is given labels only if it meets the expressions beside', { ...red, ...anySize }, 'create', {}, REFUSED],
    ['is given labels if it does', { ...red, ...anySize }, 'create', { size: 'small' }, { color: 'red' }],
    ['that deletes is taken if what is stored matches', red, 'delete', { color: 'red' }, 'as it is'],
    ['that deletes is refused if it does not', red, 'delete', { color: 'blue' }, REFUSED],
    ['that deletes gives no labels to what is stored', red, 'delete', {}, REFUSED],
  ])('%s', (_, selector, operation, labels, expected) => {
    expect(outcome(selector, operation, labels)).toEqual(expected);
  });

  test('that updates is judged by what it would store, not by what is stored', () => {
    expect(outcome(anySize, 'update', { size: 'large' }, { size: 'medium' })).toBe('as it is');
  });

  // `constructor` is a valid label, and no object has it unless it says so.
  test('knows no labels but those that are there', () => {
    expect(outcome({ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, 'create', {})).toBe(REFUSED);
    expect(outcome({ matchLabels: { constructor: 'x' } }, 'create', {})).toEqual({ constructor: 'x' });
  });
});

// kcp makes a selector of these, fails, and refuses every write. Taken literally, `NotIn` of nothing would have let everything through.
describe('a selector that is none lets no write through', () => {
  test.each([
    { key: 'size', operator: 'NotIn' },
    { key: 'size', operator: 'NotIn', values: [] },
    { key: 'size', operator: 'In', values: [] },
    { key: 'size', operator: 'Exists', values: ['x'] },
    { key: 'size', operator: 'DoesNotExist', values: ['x'] },
    { key: 'size', operator: 'Unknown' },
    { key: 'size', operator: 'constructor' },
    { key: 'not a key', operator: 'DoesNotExist' },
    { key: 'size', operator: 'NotIn', values: ['not a value'] },
  ])('%j', expression => {
    for (const labels of [{}, { size: 'x' }]) {
      expect(outcome({ matchExpressions: [expression] }, 'create', labels)).toBe(REFUSED);
    }
  });
});

describe('nothing limits a write', () => {
  const { request } = callTo('consumer', CONFIGMAPS, { method: 'POST' });
  test.each([
    ['where the claim is to all objects', bindingOf(claimOf({ matchAll: true }))],
    ['where it is to all, whatever labels it names besides', bindingOf(claimOf({ matchAll: true, ...red }))],
    ['where the selector is empty', bindingOf(claimOf({}))],
    ['where there is no selector', bindingOf({ resource: 'configmaps', state: 'Accepted' })],
    ['where another resource is claimed', bindingOf({ ...claimOf(red), resource: 'secrets' })],
    // Only masters come here: authorization refuses everybody else.
    ['where the claim is rejected', bindingOf({ ...claimOf(red), state: 'Rejected' })],
  ])('%s', (_, binding) => {
    expect(selectorAdmission(binding, request)).toBeUndefined();
  });

  test('where the resource is bound', () => {
    const claims = [{ ...claimOf(red), group: 'dev', resource: 'cowboys' }];
    const binding = bindingAt('consumer/b', 'p/e', { bound: ['cowboys.dev'], claims });
    expect(selectorAdmission(binding, { ...request, apiGroup: 'dev', resource: 'cowboys' })).toBeUndefined();
  });
});

test('the claim to events limits those of both groups', () => {
  const binding = bindingOf({ ...claimOf(red), resource: 'events' });
  for (const path of ['/api/v1/namespaces/default/events', '/apis/events.k8s.io/v1/namespaces/default/events']) {
    const admit = selectorAdmission(binding, callTo('consumer', path, { method: 'POST' }).request);
    expect(admit?.({ operation: 'create', proposed: object() })).toEqual({ labels: { color: 'red' } });
  }
});

describe('without a binding', () => {
  test.each<[Operation, string]>([
    ['create', 'POST'],
    ['update', 'PUT'],
    ['delete', 'DELETE'],
  ])('a %s is refused, also of masters', (operation, method) => {
    const admit = selectorAdmission(undefined, callTo('consumer', `${CONFIGMAPS}/one`, { method }).request);
    const refused = admit?.({ operation });
    expect(refused).toMatchObject({
      code: 403,
      message:
        'configmaps "one" is forbidden: could not find suitable apibinding in target logical cluster: no suitable binding found',
    });
  });
});

describe('a refusal names', () => {
  const messageFor = (path: string, metadata?: KubeObject['metadata']): string | undefined => {
    const binding = bindingAt('consumer/b', 'provider/cowboys.dev', {
      claims: [{ group: 'wild', resource: 'sheriffs', state: 'Accepted', selector: anySize }],
    });
    const admit = selectorAdmission(binding, callTo('consumer', path, { method: 'POST' }).request);
    const refused = admit?.({ operation: 'create', proposed: { ...(metadata && { metadata }) } });
    return refused instanceof StatusError ? refused.message.replace(/ is forbidden.*/, '') : undefined;
  };

  test.each([
    ['the object of the URL', '/apis/wild/v1/sheriffs/pat', { name: 'other' }, 'sheriffs.wild "pat"'],
    ['the object of the body', '/apis/wild/v1/sheriffs', { name: 'pat', generateName: 'p-' }, 'sheriffs.wild "pat"'],
    ['what its name is to begin with', '/apis/wild/v1/sheriffs', { generateName: 'p-' }, 'sheriffs.wild "p-"'],
    ['nothing that is unknown', '/apis/wild/v1/sheriffs', undefined, 'sheriffs.wild "Unknown"'],
  ])('%s', (_, path, metadata, expected) => {
    expect(messageFor(path, metadata)).toBe(expected);
  });
});

/** `metav1.LabelSelector` by its own definition, for selectors that are valid. */
function matches({ matchLabels = {}, matchExpressions = [] }: ClaimSelector, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key);
  const isOneOf = (key: string, values: readonly string[] = []): boolean => has(key) && values.includes(labels[key] ?? '');
  const rules: Record<string, (key: string, values?: readonly string[]) => boolean> = {
    In: isOneOf,
    NotIn: (key, values) => !isOneOf(key, values),
    Exists: has,
    DoesNotExist: key => !has(key),
  };
  return (
    Object.entries(matchLabels).every(([key, value]) => isOneOf(key, [value])) &&
    matchExpressions.every(({ key, operator, values }) => rules[operator]?.(key, values))
  );
}

describe('whatever is written', () => {
  const key = fc.constantFrom('a', 'b', 'example.dev/c', 'toString', 'constructor');
  const value = fc.constantFrom('', 'x', 'y');
  const labels = fc.array(fc.tuple(key, value), { maxLength: 4 }).map(pairs => Object.fromEntries(pairs));
  const expression = fc.oneof(
    fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.array(value, { minLength: 1, maxLength: 2 }) }),
    fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
  );
  const selector: fc.Arbitrary<ClaimSelector> = fc.record({
    matchLabels: labels,
    matchExpressions: fc.array(expression, { maxLength: 3 }),
  });
  const operation = fc.constantFrom<Operation>('create', 'update', 'delete');

  test('and is let through matches the selector afterwards, and keeps its own labels', () => {
    fc.assert(
      fc.property(selector, operation, labels, (limits, doing, given) => {
        const answer = outcome(limits, doing, given);
        if (typeof answer === 'string' && answer !== 'as it is') return;
        const added = typeof answer === 'string' ? {} : (answer as Record<string, string>);
        const afterwards = Object.fromEntries([...Object.entries(given), ...Object.entries(added)]);
        expect(matches(limits, afterwards)).toBe(true);
        expect(Object.keys(added).filter(one => Object.hasOwn(given, one))).toEqual([]);
        expect(doing === 'delete' ? Object.keys(added) : []).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('and matches the selector is let through as it is', () => {
    fc.assert(
      fc.property(selector, operation, labels, (limits, doing, given) => {
        if (matches(limits, given)) expect(outcome(limits, doing, given)).toBe('as it is');
      }),
      { numRuns: 1_000 },
    );
  });
});
