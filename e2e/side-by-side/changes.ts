/** What declared differences leave out of answers. */
import type { Answer } from './normalise.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value without the fields of that name, however deep. */
function without(field: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map(item => without(field, item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== field)
      .map(([name, inner]) => [name, without(field, inner)]),
  );
}

const changeBody = (answer: Answer, change: (body: unknown) => unknown): Answer => ({
  ...answer,
  body: change(answer.body),
  ...(answer.further !== undefined && { further: answer.further.map(page => ({ ...page, body: change(page.body) })) }),
  ...(answer.stored !== undefined && { stored: change(answer.stored) }),
});

export const withoutManagedFields = (answer: Answer): Answer => changeBody(answer, body => without('managedFields', body));

/** The answer's body without one of its own fields. */
export const withoutBodyField =
  (field: string) =>
  (answer: Answer): Answer =>
    changeBody(answer, body => (isObject(body) ? { ...body, [field]: undefined } : body));

export const withoutHeader =
  (name: string) =>
  (answer: Answer): Answer => ({
    ...answer,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([other]) => other !== name)),
  });

export const withoutListMetadata = withoutBodyField('metadata');

/** Discovery without subresources that have no verbs at all. */
export const withoutUnservedStatus = (answer: Answer): Answer =>
  changeBody(answer, body => {
    if (!isObject(body) || !Array.isArray(body.resources)) return body;
    return { ...body, resources: body.resources.filter(resource => !isObject(resource) || resource.verbs !== null) };
  });

/** Items of lists, and the empty token of the last page. */
export const withoutItemKinds = (answer: Answer): Answer =>
  changeBody(answer, body => {
    if (!isObject(body) || !Array.isArray(body.items)) return body;
    const { continue: token, ...metadata } = isObject(body.metadata) ? body.metadata : {};
    const items = body.items.map(item => (isObject(item) ? { ...item, apiVersion: undefined, kind: undefined } : item));
    return { ...body, items, metadata: token === '' || token === undefined ? metadata : { ...metadata, continue: token } };
  });

/** Discovery without `…/scale`, and with one entry where `…/status` stands twice. */
export const withoutScale = (answer: Answer): Answer =>
  changeBody(answer, body => {
    if (!isObject(body) || !Array.isArray(body.resources)) return body;
    const byText = new Map(body.resources.map(resource => [JSON.stringify(resource), resource]));
    return {
      ...body,
      resources: [...byText.values()].filter(resource => !(isObject(resource) && String(resource.name).endsWith('/scale'))),
    };
  });

/** An OpenAPI document without the kinds of `DeleteOptions` and `WatchEvent`, which name every group of a server. */
export const withoutSharedKinds = (answer: Answer): Answer =>
  changeBody(answer, body => {
    if (!isObject(body) || !isObject(body.schemas)) return body;
    const schemas = Object.entries(body.schemas).map(([name, schema]) =>
      /\.(DeleteOptions|WatchEvent)$/.test(name) && isObject(schema) ? [name, { ...schema, kinds: undefined }] : [name, schema],
    );
    return { ...body, schemas: Object.fromEntries(schemas) };
  });

/** Of an OpenAPI document which objects can be read at which paths, and of what kind they are. */
export const withoutOpenapiDetails = (answer: Answer): Answer =>
  changeBody(answer, body => {
    if (!isObject(body) || !isObject(body.paths)) return body;
    const items = Object.entries(body.paths).filter(([path]) => !path.endsWith('/status'));
    return { openapi: body.openapi, gets: items.flatMap(([path, item]) => getOf(path, item)) };
  });

function getOf(path: string, item: unknown): unknown[] {
  const get = isObject(item) ? item.get : undefined;
  return isObject(get) && get.action === 'get' ? [{ path, kind: get.kind }] : [];
}
