import type { LabelRequirement } from '@kcp-vw/shared/kube/selectors.ts';
import type { LabelSelectorObject } from './objects.ts';

const OPERATORS = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' } as const;

/** A selector of an object (`metav1.LabelSelector`) as requirements. */
export const requirementsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelectorObject = {}): LabelRequirement[] => [
  ...Object.entries(matchLabels).map(([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] })),
  ...matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator: OPERATORS[operator], values })),
];
