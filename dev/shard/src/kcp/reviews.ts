import type { Identity } from '@kcp-vw/shared/authn/identity.ts';
import { fromUserInfo } from '@kcp-vw/shared/authn/user-info.ts';
import { badRequest, type RequestRef } from '@kcp-vw/shared/kube/errors.ts';
import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { ResourceDefinition, Write } from '../store/definition.ts';
import { invalidFields } from '../store/refusals.ts';
import type { Tokens } from './authentication.ts';
import type { Authorize, Decision } from './authorizer.ts';
import { recordedUser } from './identity.ts';

interface ReviewContext {
  readonly authorize: Authorize;
  readonly tokens: Tokens;
  /** Whether the request came with kcp's internal header, from masters. */
  readonly isDeep: (user: Identity) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** The reviews as resources that can be created and are stored nowhere. */
export function reviewDefinitions(context: ReviewContext): readonly ResourceDefinition[] {
  const review = (
    group: string,
    resource: string,
    kind: string,
    evaluate: (object: KubeObject, write: Write) => Fields,
    namespaced = false,
  ): ResourceDefinition => ({
    group,
    versions: ['v1'],
    resource,
    singular: kind.toLowerCase(),
    kind,
    namespaced,
    custom: false,
    statusSubresource: false,
    tracksGeneration: false,
    columns: [],
    verbs: ['create'],
    evaluate: (object, write) => ({ ...object, status: evaluate(object, write) }),
  });
  const AUTHORIZATION = 'authorization.k8s.io';
  const AUTHENTICATION = 'authentication.k8s.io';

  const asOther = (kind: string) => (object: KubeObject, write: Write) => {
    const spec = specOf(object);
    const user = fromUserInfo({ username: spec.user, uid: spec.uid, groups: spec.groups, extra: spec.extra });
    if (!user) throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: its user is malformed`);
    if (user.name === '' && user.groups.length === 0) {
      const message = 'Invalid value: "": at least one of user or group must be specified';
      throw invalidFields({ group: AUTHORIZATION, kind }, '', [{ reason: 'FieldValueInvalid', field: 'spec.user', message }]);
    }
    // fromUserInfo drops lifecycle groups, which a review may be about.
    const groups = Array.isArray(spec.groups) ? spec.groups.filter(group => typeof group === 'string') : [];
    const who = { ...user, groups };
    return decisionStatus(context.authorize(write.cluster, who, requestOf(spec, kind), { deep: context.isDeep(write.user) }));
  };

  return [
    review(AUTHORIZATION, 'subjectaccessreviews', 'SubjectAccessReview', asOther('SubjectAccessReview')),
    review(AUTHORIZATION, 'localsubjectaccessreviews', 'LocalSubjectAccessReview', asOther('LocalSubjectAccessReview'), true),
    review(AUTHORIZATION, 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', (object, { cluster, user }) =>
      decisionStatus(context.authorize(cluster, user, requestOf(specOf(object), 'SelfSubjectAccessReview'))),
    ),
    review(AUTHENTICATION, 'selfsubjectreviews', 'SelfSubjectReview', (_, { user }) => ({ userInfo: recordedUser(user) })),
    review(AUTHENTICATION, 'tokenreviews', 'TokenReview', object => tokenStatus(specOf(object).token, context.tokens)),
  ];
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const specOf = (object: KubeObject): Fields => (isFields(object.spec) ? object.spec : {});

function tokenStatus(token: unknown, tokens: Tokens): Fields {
  if (typeof token !== 'string' || token === '') {
    const message = 'Required value: token is required';
    throw invalidFields({ group: 'authentication.k8s.io', kind: 'TokenReview' }, '', [
      { reason: 'FieldValueRequired', field: 'spec.token', message },
    ]);
  }
  const user = tokens.identity(token);
  if (!user) return { user: {}, error: 'invalid bearer token' };
  return { authenticated: true, user: recordedUser(user), audiences: ['https://kcp.default.svc'] };
}

const decisionStatus = ({ allowed, denied, reason }: Decision): Fields => ({
  allowed,
  ...(denied === true && { denied }),
  ...(reason !== '' && { reason }),
});

/** What a review asks about. Throws a StatusError 422 unless it is exactly one thing. */
function requestOf(spec: Fields, kind: string): RequestRef {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const isResource = isFields(resourceAttributes);
  if (isResource === isFields(nonResourceAttributes)) {
    const message = isResource
      ? 'Invalid value: "resourceAttributes": cannot be specified in combination with nonResourceAttributes'
      : 'Invalid value: "resourceAttributes": exactly one of nonResourceAttributes or resourceAttributes must be specified';
    const field = isResource ? 'spec.nonResourceAttributes' : 'spec.resourceAttributes';
    throw invalidFields({ group: 'authorization.k8s.io', kind }, '', [{ reason: 'FieldValueInvalid', field, message }]);
  }
  const attributes = isResource ? resourceAttributes : (nonResourceAttributes as Fields);
  const text = (key: string): string => (typeof attributes[key] === 'string' ? attributes[key] : '');
  return {
    isResourceRequest: isResource,
    path: isResource ? '' : text('path'),
    verb: text('verb'),
    apiGroup: text('group'),
    resource: text('resource'),
    subresource: text('subresource'),
    namespace: text('namespace'),
    name: text('name'),
  };
}
