import { setTimeout as sleep } from 'node:timers/promises';
import { machineUsage } from './proc/usage.ts';

/** Share of the machine that others may use before a measurement says little. */
export const DISTURBED = 0.12;

/** Milliseconds. */
const LOOK = 300;

/**
 * How long a run may wait for a machine that others use, waiting and measuring again together: on one that is never quiet, a table with
 * the disturbance beside it is better than none.
 */
export class Patience {
  readonly #say: (text: string) => void;
  #left: number;

  constructor(milliseconds: number, say: (text: string) => void) {
    this.#left = milliseconds;
    this.#say = say;
  }

  get isOver(): boolean {
    return this.#left <= 0;
  }

  /** Takes time that was spent on a measurement of no use. */
  take(milliseconds: number): void {
    this.#left -= milliseconds;
  }

  /** Resolves when the machine, where nothing is being measured, is idle but for what idle servers do; or at once when patience is over. */
  async untilQuiet(): Promise<void> {
    let told = false;
    while (!this.isOver) {
      const before = machineUsage();
      await sleep(LOOK);
      const after = machineUsage();
      if ((after.busy - before.busy) / (after.available - before.available) < DISTURBED) return;
      this.take(LOOK);
      if (!told) this.#say('the machine is busy with something else; waiting');
      told = true;
      if (this.isOver) this.#say('it stays busy: measuring without waiting from here on');
    }
  }
}
