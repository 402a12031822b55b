import { type Command, FLAG_SECTIONS, type Flag } from './flags-table.ts';
import { shapeOf } from './flags-values.ts';

const WIDTH = 100;

/** What `--help` prints: every flag of the command by section, those without effect after the others. */
export function flagsHelp(command: Command = 'up'): string {
  return Object.entries(FLAG_SECTIONS)
    .map(([section, flags]) => [section, flags.filter(({ commands }) => commands?.includes(command) !== false)] as const)
    .map(([section, flags]) => `${section}:\n${sorted(flags).map(describe).join('')}`)
    .join('\n');
}

const sorted = (flags: readonly Flag[]): Flag[] =>
  [...flags].sort((a, b) => (a.effect === b.effect ? 0 : a.effect === 'used' ? -1 : 1));

function describe(flag: Flag): string {
  const words = [
    flag.effect === 'none' ? `accepted and without effect: ${flag.meaning}` : flag.meaning,
    ...(flag.default ? [`(default ${flag.default})`] : []),
    ...(flag.accepts ? [`(${accepted(flag.accepts)}: ${flag.refusal})`] : []),
  ].join(' ');
  const head = flag.type === 'bool' ? `--${flag.name}` : `--${flag.name}=<${shapeOf(flag.type)}>`;
  return `  ${head}\n${wrap(words)}`;
}

const accepted = (values: readonly string[]): string => {
  const named = values.filter(value => value !== '');
  return named.length === 0 ? 'no value is taken' : `only ${named.join(' or ')}`;
};

function wrap(words: string): string {
  const indent = '        ';
  const lines = [indent];
  for (const word of words.split(' ')) {
    const line = lines.at(-1) ?? indent;
    const longer = line === indent ? line + word : `${line} ${word}`;
    if (longer.length <= WIDTH || line === indent) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return `${lines.join('\n')}\n`;
}
