/** Rows as Markdown. */

/** A table as the project's formatter lays it out: first column to the left, figures to the right. The first line is the heading. */
export function table(lines: readonly (readonly string[])[]): string {
  const [heading = [], ...rows] = lines;
  const widths = heading.map((_, i) => Math.max(3, ...lines.map(line => line[i]?.length ?? 0)));
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const padded = [heading, ...rows].map(line =>
    widths.map((width, i) => (i === 0 ? (line[i] ?? '').padEnd(width) : (line[i] ?? '').padStart(width))),
  );
  return [padded[0] ?? [], rule, ...padded.slice(1)].map(line => `| ${line.join(' | ')} |`).join('\n');
}

const NOTHING = '–';

/** Three digits say what such a measurement can say. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 1_000) return Number(value.toPrecision(3)).toLocaleString('en');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 0.1 || size === 0 ? 2 : 3);
}
