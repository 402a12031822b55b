import { forbiddenObject, type StatusError } from '@kcp-vw/shared/kube/errors.ts';
import { labelKeyErrors, labelValueErrors } from '@kcp-vw/shared/kube/label-names.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import { type LabelOperator, type LabelRequirement, type LabelSelector, matchesLabels } from '@kcp-vw/shared/kube/selectors.ts';
import type { RequestInfo } from '@kcp-vw/shared/target/request-info.ts';
import type { Admitted, AdmittedWrite, Guard } from '@kcp-vw/shared/view/view.ts';
import type { ApiBinding, ClaimSelector } from './apis-kcp-io.ts';
import { acceptedClaims, isBound } from './bindings.ts';

/**
 * How writes are admitted that a binding's claim limits to the objects of a selector: what is written must be one of them, and gets the
 * labels that make it one where it has none. Undefined: nothing limits them.
 *
 * Asked for masters too, whom no binding is required of by authorization.
 */
export function selectorAdmission(binding: ApiBinding | undefined, request: RequestInfo): Guard['admit'] {
  const { apiGroup: group, resource } = request;
  const refuse = (object: KubeObject | undefined, detail: string): StatusError =>
    forbiddenObject({ group, resource }, nameOf(request, object), detail);

  if (binding === undefined) {
    const detail = 'could not find suitable apibinding in target logical cluster: no suitable binding found';
    return ({ proposed, stored }) => refuse(proposed ?? stored, detail);
  }
  if (isBound(binding, group, resource)) return undefined;
  const [claim] = acceptedClaims(binding, group, resource);
  const selector = claim?.selector;
  if (selector === undefined || selector.matchAll) return undefined;
  const requirements = requirementsOf(selector);
  if (requirements.length === 0) return undefined;
  return write => admit(write, selector, requirements, refuse);
}

function admit(
  { operation, proposed, stored }: AdmittedWrite,
  { matchLabels = {} }: ClaimSelector,
  requirements: LabelSelector,
  refuse: (object: KubeObject | undefined, detail: string) => StatusError,
): StatusError | Admitted | undefined {
  const object = operation === 'delete' ? stored : proposed;
  const labels = object?.metadata?.labels ?? {};
  // Labels that could be any of several values are not chosen here: only what the selector names is added.
  const missing = operation === 'delete' ? [] : Object.entries(matchLabels).filter(([key]) => !Object.hasOwn(labels, key));
  if (operation !== 'delete') {
    const wrong = Object.entries(matchLabels).find(([key, value]) => Object.hasOwn(labels, key) && labels[key] !== value);
    if (wrong) return refuse(object, `protected label ${wrong[0]} must have value ${wrong[1]}`);
  }
  const added = Object.fromEntries(missing);
  if (!matchesLabels(requirements, { ...labels, ...added })) return refuse(object, 'object does not match required labels');
  return missing.length > 0 ? { labels: added } : undefined;
}

const OPERATORS: Readonly<Record<string, LabelOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/** `metav1.LabelSelectorAsSelector`. */
function requirementsOf({ matchLabels = {}, matchExpressions = [] }: ClaimSelector): LabelSelector {
  const labels = Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
  return [...labels, ...matchExpressions].map(requirementOf);
}

/** One that is no valid requirement (`labels.NewRequirement`) is met by no object: kcp refuses every write then. */
function requirementOf({ key, operator, values = [] }: NonNullable<ClaimSelector['matchExpressions']>[number]): LabelRequirement {
  const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  const takesValues = known === 'in' || known === 'notin';
  const isWellFormed = labelKeyErrors(key).length === 0 && values.every(value => labelValueErrors(value).length === 0);
  if (known === undefined || takesValues !== values.length > 0 || !isWellFormed) return { key, operator: 'in', values: [] };
  return { key, operator: known, values: [...values].sort() };
}

/** As Kubernetes names the object of a refused request (`admission.NewForbidden`). */
function nameOf({ name }: RequestInfo, object: KubeObject | undefined): string {
  const { name: given, generateName } = object?.metadata ?? {};
  return name || given || (typeof generateName === 'string' && generateName) || 'Unknown';
}
