import { expect, test } from '@jest/globals';
import { compileJsonPath } from './json-path.ts';

const document = {
  metadata: { name: 'a', annotations: { 'kcp.io/cluster': 'c1' } },
  status: {
    phase: '',
    conditions: [
      { type: 'Synced', status: 'False' },
      { type: 'Ready', status: 'True' },
    ],
  },
  spec: { nothing: null, list: [1, 2, 3] },
};

test.each<[string, unknown]>([
  ['.metadata.name', 'a'],
  ['.status.phase', ''],
  ['.spec.nothing', null],
  ['.spec.missing', undefined],
  ['.spec.missing.deeper', undefined],
  ['.metadata.name.length', undefined],
  ['.constructor', undefined],
  ['.metadata.annotations.kcp\\.io/cluster', 'c1'],
  [".metadata.annotations['kcp.io/cluster']", 'c1'],
  ['.metadata.annotations["kcp.io/cluster"]', 'c1'],
  ['.spec.list[1]', 2],
  ['.spec.list[-1]', 3],
  ['.spec.list[-2]', 2],
  ['.spec.list[9]', undefined],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  [".status.conditions[?(@.type == 'Synced')].status", 'False'],
  ['.status.conditions[?(@.type=="None")].status', undefined],
])('%s reads %j', (path, value) => {
  expect(compileJsonPath(path)?.(document)).toEqual(value);
});

test.each(['metadata', '..name', '.a[*]', '.a[', '.a[?(@.n>1)]', '$.a', '.a.'])('%s is no path of a printer column', path => {
  expect(compileJsonPath(path)).toBeUndefined();
});
