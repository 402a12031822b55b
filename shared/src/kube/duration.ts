const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Up to `below` seconds a duration is printed in `unit`, with the rest in `rest` unless that is zero. */
interface Scale {
  readonly below: number;
  readonly unit: readonly [seconds: number, letter: string];
  readonly rest?: readonly [seconds: number, letter: string];
}

/** Two or three significant figures: k8s.io/apimachinery/pkg/util/duration `HumanDuration`. */
const SCALES: readonly Scale[] = [
  { below: 2 * MINUTE, unit: [1, 's'] },
  { below: 10 * MINUTE, unit: [MINUTE, 'm'], rest: [1, 's'] },
  { below: 3 * HOUR, unit: [MINUTE, 'm'] },
  { below: 8 * HOUR, unit: [HOUR, 'h'], rest: [MINUTE, 'm'] },
  { below: 2 * DAY, unit: [HOUR, 'h'] },
  { below: 8 * DAY, unit: [DAY, 'd'], rest: [HOUR, 'h'] },
  { below: 2 * YEAR, unit: [DAY, 'd'] },
  { below: 8 * YEAR, unit: [YEAR, 'y'], rest: [DAY, 'd'] },
  { below: Number.POSITIVE_INFINITY, unit: [YEAR, 'y'] },
];

/** A duration in milliseconds as Kubernetes prints ages: `5s`, `3m20s`, `47h`, `2y100d`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  // Clocks of two machines may differ by less than two seconds.
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  for (const { below, unit, rest } of SCALES) {
    if (seconds >= below) continue;
    const remainder = rest === undefined ? 0 : Math.floor((seconds % unit[0]) / rest[0]);
    const tail = rest === undefined || remainder === 0 ? '' : `${remainder}${rest[1]}`;
    return `${Math.floor(seconds / unit[0])}${unit[1]}${tail}`;
  }
  return '<invalid>';
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * The age of an RFC 3339 timestamp at `now` (milliseconds since the epoch) as an API server prints it in a table (`translateTimestampSince`):
 * `<unknown>` for none, `<invalid>` for what is no timestamp.
 */
export function ageOf(timestamp: string, now: number): string {
  if (timestamp === '' || timestamp === 'null') return '<unknown>';
  const at = RFC3339.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(at) ? '<invalid>' : humanDuration(now - at);
}
