import { describe, expect, test } from '@jest/globals';
import { BrokenObject } from './broken-object.ts';
import { summarizingRules } from './summarizing-rules.ts';

const rules = (text: string) =>
  summarizingRules({ metadata: { annotations: { 'experimental.summarizing.workload.kcp.io': text } } });

describe('the summarizing rules of an object', () => {
  test('are one without an annotation: the status, promoted', () => {
    const byDefault = [{ path: 'status', fields: ['status'], promotes: true, isStatus: true }];
    expect(summarizingRules({})).toEqual(byDefault);
    expect(rules('')).toEqual(byDefault);
  });

  test('are those of the annotation alone', () => {
    expect(rules('[{"fieldPath":"spec.clusterIP"},{"fieldPath":"status.x","promoteToUpstream":true}]')).toEqual([
      { path: 'spec.clusterIP', fields: ['spec', 'clusterIP'], promotes: false, isStatus: false },
      { path: 'status.x', fields: ['status', 'x'], promotes: true, isStatus: false },
    ]);
    expect(rules('[]')).toEqual([]);
    expect(rules('null')).toEqual([]);
  });

  // Go decodes them; the original wrote `PromoteToUpstream`.
  test('do not tell capital letters in their members', () => {
    expect(rules('[{"FIELDPATH":"status","PromoteToUpstream":true,"other":1}]')).toEqual(summarizingRules({}));
  });

  test.each([
    '{',
    '{}',
    '"status"',
    '[null]',
    '["status"]',
    '[{"fieldPath":1}]',
    '[{"fieldPath":"status","promoteToUpstream":"yes"}]',
    '[{"fieldPath":""}]',
    '[{}]',
    '[{"fieldPath":"spec..x"}]',
    '[{"fieldPath":"metadata.labels"}]',
    '[{"fieldPath":"kind"}]',
    `[{"fieldPath":"status","x":${'['.repeat(600)}${']'.repeat(600)}}]`,
  ])('are broken in %s', text => {
    expect(() => rules(text)).toThrow(BrokenObject);
  });

  // Five thousand rules, or one of so many names, held up everybody's requests for seconds with each object that was shown.
  test('are broken where they are so many, or so deep, that they would cost every reader dearly', () => {
    const list = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, i) => ({ fieldPath: `f${i}` })));
    const deep = (names: number): string => JSON.stringify([{ fieldPath: Array(names).fill('a').join('.') }]);
    expect(rules(list(100))).toHaveLength(100);
    expect(rules(deep(100))[0]?.fields).toHaveLength(100);
    expect(() => rules(list(101))).toThrow(BrokenObject);
    expect(() => rules(deep(101))).toThrow(BrokenObject);
  });
});
