/** What clients read out of an OpenAPI v3 document: paths with their operations, components with their fields. */

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const objectIn = (value: unknown, ...path: readonly string[]): Json => {
  let inner = value;
  for (const name of path) inner = isObject(inner) ? inner[name] : undefined;
  return isObject(inner) ? inner : {};
};

const mapObject = (object: Json, change: (value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch', 'head', 'options']);

/** The document without prose: two servers may describe the same thing in other words. */
export function reduceOpenAPI(document: object): unknown {
  const { openapi, ...rest } = document as Json;
  return {
    openapi,
    paths: mapObject(objectIn(rest, 'paths'), path => ({
      parameters: parameterNames(path),
      ...Object.fromEntries(
        Object.entries(isObject(path) ? path : {})
          .filter(([method]) => METHODS.has(method))
          .map(([method, operation]) => [method, reduceOperation(operation)]),
      ),
    })),
    schemas: mapObject(objectIn(rest, 'components', 'schemas'), reduceSchema),
  };
}

function parameterNames(of: unknown): string[] {
  const parameters = isObject(of) && Array.isArray(of.parameters) ? of.parameters : [];
  return parameters.map(parameter => String(objectIn(parameter).name)).sort();
}

function reduceOperation(operation: unknown): Json {
  const known = objectIn(operation);
  return {
    action: known['x-kubernetes-action'],
    kind: known['x-kubernetes-group-version-kind'],
    parameters: parameterNames(operation),
    accepts: Object.keys(objectIn(known, 'requestBody', 'content')).sort(),
    answers: mapObject(objectIn(known, 'responses'), answer => Object.keys(objectIn(answer, 'content')).sort()),
  };
}

function reduceSchema(schema: unknown): Json {
  const known = objectIn(schema);
  return {
    type: known.type,
    kinds: known['x-kubernetes-group-version-kind'],
    required: known.required,
    fields: mapObject(objectIn(known, 'properties'), typeOf),
  };
}

/** A field's own type; of a reference, the name of what it points at. */
function typeOf(field: unknown): unknown {
  const known = objectIn(field);
  const [inherited] = Array.isArray(known.allOf) ? known.allOf : [];
  const reference = known.$ref ?? objectIn(inherited).$ref;
  if (reference !== undefined) return reference;
  if (known.type === 'object' && isObject(known.properties)) return mapObject(known.properties, typeOf);
  return known.type;
}
