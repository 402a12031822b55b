import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INITIALIZING, type Lifecycle, TERMINATING } from './lifecycle.ts';
import { admitStatus } from './status-admission.ts';

const OWN = 'root:own';
const withNames = (lifecycle: Lifecycle, names: unknown, phase = 'Initializing') => ({
  metadata: { name: 'cluster' },
  status: { phase, [lifecycle.statusField]: names },
});

const OTHER_CHANGES: readonly (readonly [field: string, value: unknown])[] = [
  ['phase', 'Ready'],
  ['initializers', []],
  ['terminators', []],
  ['URL', 'https://elsewhere'],
  ['anything', 1],
];

describe.each([INITIALIZING, TERMINATING])('a write to the status through $view', lifecycle => {
  const admit = (before: unknown, after: unknown) =>
    admitStatus(lifecycle, OWN, withNames(lifecycle, before), withNames(lifecycle, after));

  test.each([
    ['leaves the list alone', ['a:b', OWN], ['a:b', OWN]],
    ['removes the own name', ['a:b', OWN, 'c:d'], ['a:b', 'c:d']],
    ['removes the only name', [OWN], []],
    ['removes the only name and with it the field', [OWN], undefined],
    ['leaves an empty list alone', [], undefined],
  ])('is accepted when it %s', (_, before, after) => {
    expect(admit(before, after)).toBeUndefined();
  });

  test.each([
    ['removes another name', ['a:b', OWN], [OWN]],
    ['removes another name when the own one is already gone', ['a:b', 'c:d'], ['a:b']],
    ['removes two names', ['a:b', OWN], []],
    ['adds a name', [OWN], [OWN, 'a:b']],
    ['swaps a name at equal length', ['a:b', OWN], ['wrong', OWN]],
    ['replaces the own name by another', [OWN], ['wrong']],
    ['removes the own name and renames what remains', ['a:b', OWN], ['wrong']],
    ['glues two names together', ['system:x', 'a:b', OWN], ['system:x,a:b', OWN]],
    ['changes the order', ['a:b', OWN], [OWN, 'a:b']],
  ])('is invalid when it %s', (_, before, after) => {
    const error = admit(before, after);
    expect(error?.code).toBe(422);
    expect(error?.message).toContain(`only removing the "${OWN}" ${lifecycle.role} is supported`);
    expect(error?.status.details).toMatchObject({
      name: 'cluster',
      kind: 'LogicalCluster',
      group: lifecycle.invalidGroup,
      causes: [{ field: `status.${lifecycle.statusField}` }],
    });
  });

  test('may change conditions', () => {
    const stored = { metadata: { name: 'cluster' }, status: { [lifecycle.statusField]: [OWN], conditions: [] } };
    const proposed = { ...stored, status: { ...stored.status, conditions: [{ type: 'X', status: 'True' }] } };
    expect(admitStatus(lifecycle, OWN, stored, proposed)).toBeUndefined();
  });

  // Written as masters, each of these would get past what kcp refuses to the workspace's own owner.
  test.each(OTHER_CHANGES.filter(([field]) => field !== lifecycle.statusField))(
    'is invalid when it changes %s to %j',
    (field, value) => {
      const status = { phase: 'Initializing', initializers: [OWN, 'a:b'], terminators: [OWN, 'a:b'], URL: 'https://here' };
      const stored = { metadata: { name: 'cluster' }, status };
      const error = admitStatus(lifecycle, OWN, stored, { ...stored, status: { ...status, [field]: value } });
      expect(error?.code).toBe(422);
      expect(error?.status.details?.causes?.[0]?.field).toBe(`status.${field}`);
    },
  );

  test.each([
    ['a string', 'x'],
    ['an object', {}],
    ['numbers', [1]],
  ])('fails when the list is %s', (_, names) => {
    expect(admit([OWN], names)?.code).toBe(500);
  });

  test('never lets a name appear that was not there, nor one vanish that is not the own', () => {
    const names = fc.array(fc.constantFrom(OWN, 'a:b', 'c:d', 'wrong'), { maxLength: 5 });
    fc.assert(
      fc.property(names, names, (before, after) => {
        if (admit(before, after) !== undefined) return;
        const others = (list: string[]) => list.filter(name => name !== OWN).sort();
        expect(others(after)).toEqual(others(before));
        expect(before.includes(OWN) || !after.includes(OWN)).toBe(true);
      }),
    );
  });
});
