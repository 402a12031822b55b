import type { RequestRef } from './errors.ts';

/** `rbac.authorization.k8s.io/v1 PolicyRule`. A list that is absent matches nothing, but for `resourceNames`: every name. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const ALL = '*';

/** Whether any of the rules allows the request (a `RequestInfo` will do), as Kubernetes' RBAC authorizer decides it. */
export function rulesAllow(rules: readonly PolicyRule[], request: RequestRef): boolean {
  return rules.some(rule => ruleAllows(rule, request));
}

function ruleAllows(rule: PolicyRule, request: RequestRef): boolean {
  if (!holds(rule.verbs, request.verb)) return false;
  if (!request.isResourceRequest) return urlMatches(rule.nonResourceURLs ?? [], request.path);
  return (
    holds(rule.apiGroups ?? [], request.apiGroup) &&
    resourceMatches(rule.resources ?? [], request.resource, request.subresource) &&
    nameMatches(rule.resourceNames ?? [], request.name)
  );
}

const holds = (list: readonly string[], wanted: string): boolean => list.includes(ALL) || list.includes(wanted);

// `pods` does not include `pods/log`; `*` includes everything; `*/scale` is that subresource of every resource.
function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (subresource === '') return holds(resources, resource);
  return holds(resources, `${resource}/${subresource}`) || resources.includes(`${ALL}/${subresource}`);
}

/** Names restrict: a request without a name (list, create) is allowed by rules without names only. */
const nameMatches = (names: readonly string[], name: string): boolean => names.length === 0 || names.includes(name);

function urlMatches(urls: readonly string[], path: string): boolean {
  return urls.some(url => url === path || (url.endsWith(ALL) && path.startsWith(url.replace(/\*+$/, ''))));
}
