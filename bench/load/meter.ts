import type { MachineUsage } from '../proc/files.ts';
import { machineUsage, type Processes, residentOf, spent, type Usage, usageOf } from '../proc/usage.ts';
import { percentile } from '../statistics.ts';
import type { Measurement } from './job.ts';
import { courseOf } from './memory-course.ts';

/** Its own process is taken too, to know what the rest of the machine was busy with. */
const SELF = 'load generator';

/** Takes the cost of processes from its making until `stop`. */
export class Meter {
  readonly #processes: Processes;
  readonly #before: Record<string, Usage>;
  readonly #machineBefore: MachineUsage;
  readonly #started = performance.now();
  /** Bytes by group, at each look. */
  readonly #samples: Record<string, number>[] = [];
  readonly #sampler: NodeJS.Timeout | undefined;

  /** `sampling`: milliseconds between looks at the memory until `endSampling`; undefined: it is looked at before and after. */
  constructor(processes: Processes, sampling?: number) {
    this.#processes = { ...processes, [SELF]: [process.pid] };
    this.#machineBefore = machineUsage();
    this.#before = usageOf(this.#processes);
    if (sampling !== undefined) {
      this.#sampler = setInterval(() => this.#samples.push(residentOf(this.#processes)), sampling);
    }
  }

  endSampling(): void {
    clearInterval(this.#sampler);
  }

  /** `latencies` in milliseconds, one per operation. */
  stop(latencies: readonly number[], bytes: number): Measurement {
    const seconds = (performance.now() - this.#started) / 1000;
    const after = Object.entries(usageOf(this.#processes));
    const machine = machineUsage();
    const operations = latencies.length;
    if (operations === 0) throw new Error(`no operation has ended in the measured ${seconds.toFixed(1)} s`);
    const sorted = latencies.toSorted((a, b) => a - b);
    const cpu = after.map(([name, usage]) => [name, spent(this.#before[name], usage)] as const);
    const measured = cpu.reduce((sum, [, used]) => sum + used, 0);
    const generator = cpu.find(([name]) => name === SELF)?.[1] ?? 0;
    const { available, busy } = this.#machineBefore;
    return {
      operations,
      seconds,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      bytesPerOperation: bytes / operations,
      cpu: Object.fromEntries(cpu.map(([name, used]) => [name, used / operations])),
      ...(this.#samples.length > 0 ? courseOf(this.#samples) : this.#memory(after)),
      generator: generator / (seconds * 1000),
      elsewhere: Math.max(0, machine.busy - busy - measured) / (machine.available - available),
    };
  }

  #memory(after: readonly (readonly [string, Usage])[]): Pick<Measurement, 'resident' | 'grown'> {
    return {
      resident: Object.fromEntries(after.map(([name, { resident }]) => [name, resident])),
      grown: Object.fromEntries(after.map(([name, { resident }]) => [name, resident - (this.#before[name]?.resident ?? 0)])),
    };
  }
}
