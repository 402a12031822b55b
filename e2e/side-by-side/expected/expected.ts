/** Where ours is meant to answer otherwise than kcp's server: the only place that says so, row by row of `docs/parity.md`. */
import type { Answer } from '../normalise.ts';
import type { ExpectedAnswer } from './answers.ts';
import { documents } from './documents.ts';
import { identities } from './identities.ts';
import { lifecycles } from './lifecycles.ts';
import { paths, unknownPaths } from './paths.ts';
import { representations } from './representations.ts';
import { schemas } from './schemas.ts';
import { writes } from './writes.ts';

export interface Expected {
  /** The text of the column "what" in `docs/parity.md`. */
  readonly what: string;
  /** The rows that it concerns, as `subject/name`. All of them have to differ. */
  readonly rows: RegExp;
  /** Of those rows, the ones in which kcp's server answers like this. */
  readonly when?: (kcp: Answer) => boolean;
  /** All that has to be in our answer, whatever else is. */
  readonly answer?: ExpectedAnswer;
  /** What is left out of both answers; the rest has to be equal. */
  readonly without?: (answer: Answer) => Answer;
}

export const expected: readonly Expected[] = [
  ...paths,
  ...identities,
  ...representations,
  ...documents,
  ...schemas,
  ...lifecycles,
  ...writes,
  ...unknownPaths,
];
