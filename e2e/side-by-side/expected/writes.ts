import { withoutManagedFields } from '../changes.ts';
import type { Answer } from '../normalise.ts';
import { holds, invalid, notServed } from './answers.ts';
import type { Expected } from './expected.ts';

const withoutStatus = (answer: Answer): Answer => ({ ...answer, status: 0 });

const MANAGERS = 'field managers of what is written';

export const writes: readonly Expected[] = [
  { what: MANAGERS, rows: /./, when: holds(/"manager":"virtual-workspaces"/), without: withoutManagedFields },
  {
    what: MANAGERS,
    rows: /^writes\/patch apply/,
    when: holds(/"manager":"somebody","operation":"Update"/),
    without: withoutManagedFields,
  },
  {
    what: MANAGERS,
    rows: /^refusals\/claimed binding: apply$|^claimed writes\/configmap: apply what is missing$/,
    without: withoutManagedFields,
  },
  {
    what: 'an apply that creates',
    rows: /^(writes\/patch|claimed writes\/configmap:|selector writes\/selector:) apply what is missing$/,
    without: withoutStatus,
  },
  {
    what: 'an apply to the status of what is missing',
    rows: /^writes\/patch apply the status of what is missing$/,
    answer: notServed,
  },
  { what: 'a patch that names another uid', rows: /^writes\/patch merge another uid$/, answer: invalid },
  {
    what: 'delete of what a selector or a claim hides',
    rows: /^selector writes\/selector: delete what is hidden$|^refusals\/rejected claim, masters: delete$/,
    answer: notServed,
  },
];
