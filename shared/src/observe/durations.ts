import type { Metric, Registry } from 'prom-client';

export interface DurationLabels {
  readonly method: string;
  readonly code: string;
  readonly view: string;
}

interface Series {
  readonly labels: DurationLabels;
  /** By bucket, each duration counted once; the last is for what is longer than all bounds. */
  readonly counts: number[];
  /** Seconds. */
  sum: number;
}

interface DurationsOptions {
  readonly name: string;
  readonly help: string;
  /** Seconds, ascending. */
  readonly buckets: readonly number[];
  readonly registers: readonly Registry[];
}

/**
 * A histogram whose observations cost an addition. prom-client's looks through the labels at each of them, which for a small request
 * costs more than to authorize it; here labels are put together when somebody scrapes.
 */
export class Durations {
  readonly name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** By view, method and code. To look one up by texts that are there costs less than to make a text of them. */
  readonly #series = new Map<string, Map<string, Map<string, Series>>>();

  constructor({ name, help, buckets, registers }: DurationsOptions) {
    this.name = name;
    this.#help = help;
    this.#bounds = buckets;
    // Of a metric, a registry uses no more than `name`, `get` and `reset`; the type knows prom-client's own classes only.
    for (const register of registers) register.registerMetric(this as unknown as Metric);
  }

  /** Counts one duration, in seconds. */
  add(labels: DurationLabels, seconds: number): void {
    const series = this.#series.get(labels.view)?.get(labels.method)?.get(labels.code) ?? this.#begin(labels);
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket++;
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.sum += seconds;
  }

  #begin(labels: DurationLabels): Series {
    const series = { labels, counts: Array(this.#bounds.length + 1).fill(0), sum: 0 };
    const methods = this.#series.get(labels.view) ?? new Map<string, Map<string, Series>>();
    const codes = methods.get(labels.method) ?? new Map<string, Series>();
    this.#series.set(labels.view, methods.set(labels.method, codes.set(labels.code, series)));
    return series;
  }

  /** As prom-client's histograms have it. */
  async get() {
    const all = [...this.#series.values()].flatMap(methods => [...methods.values()].flatMap(codes => [...codes.values()]));
    const values = all.flatMap(series => this.#valuesOf(series));
    return { name: this.name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
  }

  reset(): void {
    this.#series.clear();
  }

  /** Each bucket holds what those before it hold. */
  #valuesOf({ labels, counts, sum }: Series) {
    let count = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, i) => {
      count += counts[i] as number;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
    });
    const total = (suffix: string, value: number) => ({ metricName: `${this.name}_${suffix}`, labels: { ...labels }, value });
    return [...buckets, total('sum', sum), total('count', count)];
  }
}
