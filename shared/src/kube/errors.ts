/**
 * Every failure of the fleet as a Kubernetes `Status` (`meta/v1`). The one table: reasons, codes and retry hints are nowhere else.
 */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'Failure' | 'Success';
  readonly message: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** reason → HTTP status, as k8s.io/apimachinery/pkg/api/errors pairs them. */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  LengthRequired: 411,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  RequestHeaderFieldsTooLarge: 431,
  InternalError: 500,
  BadGateway: 502,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof STATUS_CODES;

/** Thrown or returned by any stage; answered as its `status`. The message may be shown to the caller, a `cause` is only logged. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;

  constructor(reason: StatusReason, message: string, details?: StatusDetails, options?: { cause?: unknown }) {
    super(message, options);
    this.status = Object.freeze({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: Object.freeze({}),
      status: 'Failure',
      message,
      reason,
      ...(details && { details: Object.freeze(details) }),
      code: STATUS_CODES[reason],
    });
  }

  get code(): number {
    return this.status.code;
  }
}

/** What a message needs to know of a resource. */
export interface ResourceRef {
  readonly group: string;
  readonly resource: string;
}

/** What a Forbidden message needs to know of a request (a `RequestInfo` will do). */
export interface RequestRef {
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly verb: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

const qualified = ({ group, resource }: ResourceRef): string => (group ? `${resource}.${group}` : resource);

export const badRequest = (message: string): StatusError => new StatusError('BadRequest', message);

export const unauthorized = (): StatusError => new StatusError('Unauthorized', 'Unauthorized');

/** The texts of k8s.io/apiserver's `responsewriters.ForbiddenStatusError`. */
export function forbidden(user: string, request: RequestRef, reason: string): StatusError {
  if (!request.isResourceRequest) {
    return new StatusError('Forbidden', `forbidden: User "${user}" cannot ${request.verb} path "${request.path}": ${reason}`, {});
  }
  const resource = request.subresource ? `${request.resource}/${request.subresource}` : request.resource;
  const where = request.namespace ? `in the namespace "${request.namespace}"` : 'at the cluster scope';
  const action = `User "${user}" cannot ${request.verb} resource "${resource}" in API group "${request.apiGroup}" ${where}`;
  const subject = qualified({ group: request.apiGroup, resource: request.resource });
  const object = request.name ? `${subject} "${request.name}"` : subject;
  return new StatusError('Forbidden', `${object} is forbidden: ${action}: ${reason}`, {
    ...(request.name && { name: request.name }),
    ...(request.apiGroup && { group: request.apiGroup }),
    kind: request.resource,
  });
}

/** A refusal by admission (`errors.NewForbidden`): the request was allowed, its object is not. */
export const forbiddenObject = (ref: ResourceRef, name: string, detail: string): StatusError =>
  new StatusError('Forbidden', `${qualified(ref)} "${name}" is forbidden: ${detail}`, {
    name,
    ...(ref.group && { group: ref.group }),
    kind: ref.resource,
  });

/** A refusal that is not about an RBAC verb. */
export const forbiddenBecause = (message: string): StatusError => new StatusError('Forbidden', message);

export const notFound = (ref: ResourceRef, name: string): StatusError =>
  new StatusError('NotFound', `${qualified(ref)} "${name}" not found`, {
    name,
    ...(ref.group && { group: ref.group }),
    kind: ref.resource,
  });

export const alreadyExists = (ref: ResourceRef, name: string): StatusError =>
  new StatusError('AlreadyExists', `${qualified(ref)} "${name}" already exists`, {
    name,
    ...(ref.group && { group: ref.group }),
    kind: ref.resource,
  });

/** For paths and resources that are not served at all. */
export const resourceNotServed = (): StatusError =>
  new StatusError('NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = (ref: ResourceRef, verb: string): StatusError =>
  new StatusError('MethodNotAllowed', `${verb} is not supported on resources of kind "${qualified(ref)}"`, {
    ...(ref.group && { group: ref.group }),
    kind: ref.resource,
  });

export const notAcceptable = (accepted: readonly string[]): StatusError =>
  new StatusError('NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);

export const conflict = (ref: ResourceRef, name: string, message: string): StatusError =>
  new StatusError('Conflict', `Operation cannot be fulfilled on ${qualified(ref)} "${name}": ${message}`, {
    name,
    ...(ref.group && { group: ref.group }),
    kind: ref.resource,
  });

/** A resourceVersion or continue token outside the window: the client has to list again. */
export const expired = (message: string): StatusError => new StatusError('Expired', message);

export const gone = (message: string): StatusError => new StatusError('Gone', message);

export const lengthRequired = (message: string): StatusError => new StatusError('LengthRequired', message);

export const tooLarge = (limitBytes: number): StatusError =>
  new StatusError('RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);

export const headersTooLarge = (limitBytes: number): StatusError =>
  new StatusError('RequestHeaderFieldsTooLarge', `request headers are larger than ${limitBytes} bytes`);

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** `errs.ToAggregate()` of one or more field errors. `field` is a path: `status.initializers`. */
export function invalid(
  of: { group: string; kind: string },
  name: string,
  causes: readonly { field: string; value: unknown; detail: string }[],
): StatusError {
  const rendered = causes.map(({ field, value, detail }) => `${field}: Invalid value: ${JSON.stringify(value)}: ${detail}`);
  const list = rendered.length === 1 ? rendered[0] : `[${rendered.join(', ')}]`;
  const kind = of.group ? `${of.kind}.${of.group}` : of.kind;
  return new StatusError('Invalid', `${kind} "${name}" is invalid: ${list}`, {
    name,
    group: of.group,
    kind: of.kind,
    causes: causes.map(({ field, value, detail }) => ({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
      field,
    })),
  });
}

export const tooManyRequests = (message: string, retryAfterSeconds = 1): StatusError =>
  new StatusError('TooManyRequests', message, { retryAfterSeconds });

export const internalError = (message: string, cause?: unknown): StatusError =>
  new StatusError('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, { cause });

/** The server behind us broke or answered nonsense, and may have acted on the request. */
export const badGateway = (message: string, cause?: unknown): StatusError =>
  new StatusError('BadGateway', message, {}, { cause });

/** Nothing has been done; the same request may be sent again after `retryAfterSeconds`. */
export const serviceUnavailable = (message: string, retryAfterSeconds = 1, cause?: unknown): StatusError =>
  new StatusError('ServiceUnavailable', message, { retryAfterSeconds }, { cause });

export const gatewayTimeout = (message: string, cause?: unknown): StatusError =>
  new StatusError('Timeout', message, {}, { cause });

/** Any thrown value as a StatusError. What is unexpected becomes a 500 that does not show its inside. */
export function toStatusError(error: unknown): StatusError {
  return error instanceof StatusError ? error : internalError('the request could not be handled', error);
}
