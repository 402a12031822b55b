/** What the files of Linux's /proc say. Texts in, values out. */

/** Linux counts CPU time for user space in hundredths of a second, on every architecture that Node runs on. */
const MS_PER_TICK = 10;
/** Bytes. */
const PAGE = 4096;

export interface ProcessStat {
  readonly parent: number;
  readonly command: string;
  /** Milliseconds of CPU, user and system, in steps of 10. */
  readonly cpu: number;
  /** Bytes. */
  readonly resident: number;
}

/** proc_pid_stat(5). The second field is the command in parentheses and may hold anything, parentheses too. */
export function parseStat(text: string): ProcessStat {
  const command = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Counted from the third: parent is field 4, utime 14, stime 15, rss 24.
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), command, cpu: (field(14) + field(15)) * MS_PER_TICK, resident: field(24) * PAGE };
}

/** Milliseconds that a thread has run, to the nanosecond: the first number of its schedstat. */
export function parseSchedstat(text: string): number {
  return Number(text.split(' ', 1)[0]) / 1e6;
}

export interface MachineUsage {
  /** Milliseconds of CPU, over all processors, that anything at all has used. */
  readonly busy: number;
  /** Milliseconds of CPU that there were. */
  readonly available: number;
}

/** proc_stat(5): user nice system idle iowait irq softirq steal; what follows is contained in these. */
export function parseMachine(text: string): MachineUsage {
  const [line = ''] = text.split('\n');
  const ticks = line.split(/ +/).slice(1, 9).map(Number);
  const available = ticks.reduce((sum, value) => sum + value, 0);
  const [, , , idle = 0, waiting = 0] = ticks;
  return { busy: (available - idle - waiting) * MS_PER_TICK, available: available * MS_PER_TICK };
}
