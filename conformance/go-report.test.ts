import { describe, expect, test } from '@jest/globals';
import { type GoEvent, GoReport } from './go-report.ts';

const PACKAGE = 'example.com/clients';
const result = (Test: string, Action: string, Elapsed = 1): GoEvent => ({ Action, Package: PACKAGE, Test, Elapsed });
const said = (Test: string, Output: string): GoEvent => ({ Action: 'output', Package: PACKAGE, Test, Output });

function reportOf(...events: readonly GoEvent[]): { readonly text: string; readonly report: GoReport } {
  const report = new GoReport();
  return { text: events.map(event => report.take(event)).join(''), report };
}

describe('the report of a run of Go tests', () => {
  test('shows what a failed test has said, and not what a passed one has', () => {
    const { text } = reportOf(
      said('TestA', '=== RUN   TestA\n'),
      said('TestA', '    a_test.go:1: fine\n'),
      result('TestA', 'pass'),
      said('TestB', '    b_test.go:1: wrong\n'),
      said('TestB', '--- FAIL: TestB (2.00s)\n'),
      result('TestB', 'fail', 2),
    );
    expect(text).toBe('PASS TestA (1 s)\nFAIL TestB (2 s)\n    b_test.go:1: wrong\n');
  });

  test('shows why a test was skipped', () => {
    const { text } = reportOf(said('TestA', '    a_test.go:1: needs a kcp\n'), result('TestA', 'skip', 0));
    expect(text).toBe('SKIP TestA (0 s)\n    a_test.go:1: needs a kcp\n');
  });

  test('counts subtests instead of the test that holds them', () => {
    const { report } = reportOf(result('TestA/one', 'pass'), result('TestA/two', 'skip'), result('TestA', 'pass'));
    expect(report.counts()).toEqual({ passed: 1, failed: 0, skipped: 1 });
  });

  test('counts a test that failed though its subtests passed', () => {
    const { report } = reportOf(result('TestA/one', 'pass'), result('TestA', 'fail'));
    expect(report.counts()).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test('counts a failed subtest once', () => {
    const { report } = reportOf(result('TestA/one', 'fail'), result('TestA', 'fail'), { Action: 'fail', Package: PACKAGE });
    expect(report.counts()).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('counts a package that cannot be compiled, and shows why', () => {
    const { report, text } = reportOf(
      { Action: 'build-output', Output: 'a_test.go:1:1: expected package\n' },
      { Action: 'fail', Package: PACKAGE },
    );
    expect(text).toBe('a_test.go:1:1: expected package\n');
    expect(report.counts()).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('does not take a test for a subtest of another whose name begins the same', () => {
    const { report } = reportOf(result('TestA', 'pass'), result('TestAlso/one', 'pass'), result('TestAlso', 'pass'));
    expect(report.counts()).toEqual({ passed: 2, failed: 0, skipped: 0 });
  });
});
