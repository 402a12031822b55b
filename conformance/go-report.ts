/** One line of `go test -json`, as far as it is read here: see `go doc test2json`. */
export interface GoEvent {
  readonly Action: string;
  readonly Package?: string;
  readonly Test?: string;
  readonly Output?: string;
  /** Seconds. */
  readonly Elapsed?: number;
}

export interface GoCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

type Result = 'pass' | 'fail' | 'skip';

const isResult = (action: string): action is Result => action === 'pass' || action === 'fail' || action === 'skip';

/** Follows the events of a run: what a person wants to read of each, and at the end how many tests there were. */
export class GoReport {
  readonly #output = new Map<string, string[]>();
  readonly #results = new Map<string, Result>();
  readonly #failedPackages = new Set<string>();

  /** Takes one event and returns the text to show for it: the results, and whatever a test said that failed or was skipped. */
  take(event: GoEvent): string {
    const { Action: action, Package: folder = '', Test: test, Output: output = '' } = event;
    if (action === 'build-output') return output;
    if (test === undefined) return this.#takeOfPackage(event);
    const key = `${folder} ${test}`;
    if (action === 'output') {
      this.#output.set(key, [...(this.#output.get(key) ?? []), output]);
      return '';
    }
    if (!isResult(action)) return '';
    this.#results.set(key, action);
    const said = (this.#output.get(key) ?? []).filter(line => !/^(=== |\s*--- )/.test(line)).join('');
    this.#output.delete(key);
    return `${action.toUpperCase()} ${test} (${event.Elapsed ?? 0} s)\n${action === 'pass' ? '' : said}`;
  }

  #takeOfPackage({ Action: action, Package: folder = '', Output: output = '' }: GoEvent): string {
    if (action === 'fail') this.#failedPackages.add(folder);
    // Whatever is not the result of a test: a panic, a race, a time-out.
    return action === 'output' && !/^(PASS|FAIL|ok\s|\?\s)/.test(output) ? output : '';
  }

  /**
   * Counts the innermost tests: one with subtests is the sum of them, unless it has failed by itself. A package that failed without a
   * failed test, as one that cannot be compiled, is one failure.
   */
  counts(): GoCounts {
    const counts = { pass: 0, fail: 0, skip: 0 };
    const failures = new Set<string>();
    for (const [key, result] of this.#results) {
      const below = [...this.#results].filter(([other]) => other.startsWith(`${key}/`));
      if (result === 'fail') failures.add(key.split(' ')[0] ?? '');
      if (below.length === 0 || (result === 'fail' && below.every(([, other]) => other !== 'fail'))) counts[result] += 1;
    }
    const withoutTest = [...this.#failedPackages].filter(folder => !failures.has(folder)).length;
    return { passed: counts.pass, failed: counts.fail + withoutTest, skipped: counts.skip };
  }
}
