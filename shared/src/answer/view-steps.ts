import { internalError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { headerValues, withoutHeaders } from '../listener/headers.ts';
import type { Transform } from '../view/view.ts';
import type { ViewWritePlan, WriteStep } from '../view/view-write.ts';
import { ask, type Checked } from './checked.ts';
import { type CollectedResponse, parseObject } from './collect.ts';
import type { Execution } from './execution.ts';
import { forwardedResponseHeaders } from './forwarded-headers.ts';
import type { Printer } from './view-print.ts';

/** A write that is under way. */
export interface ViewWriting extends Checked {
  readonly plan: Transform;
  readonly write: NonNullable<Transform['write']>;
  readonly print: Printer;
}

/** The main object as the shard has it, whatever the plan thinks of it, or the shard's word that there is none. */
export async function readStored(
  writing: ViewWriting,
): Promise<{ readonly stored: KubeObject } | { readonly response: CollectedResponse }> {
  const response = await ask(writing, { method: 'GET', rawQuery: '', accept: 'application/json', parts: 2 });
  return response.status >= 300 ? { response } : { stored: parseObject(response.body, writing.shard) };
}

/**
 * Sends the steps of a plan, each made of what the one before has answered, and shows the caller what the last one has. The first error
 * of the shard is the answer. Throws a StatusError that refuses.
 */
export async function carryOut(
  writing: ViewWriting,
  planned: ViewWritePlan,
  stored: KubeObject | undefined,
): Promise<CollectedResponse> {
  if ('refusal' in planned) throw planned.refusal;
  const { steps, answer } = planned;
  const isCreate = stored === undefined;
  if (isCreate && (steps.length !== 1 || steps[0]?.subresource !== '')) throw internalError('a create is one request');
  const warnings = new Set<string>();
  let current = stored ?? {};
  let last: CollectedResponse | undefined;
  for (const step of steps) {
    const body = Buffer.from(JSON.stringify(step.object(current)));
    const method = isCreate ? 'POST' : 'PUT';
    last = await ask(isCreate ? writing : at(writing, step), {
      method,
      rawQuery: optionsOf(writing),
      body,
      accept: 'application/json',
    });
    for (const warning of headerValues(last.headers, 'warning')) warnings.add(warning);
    if (last.status >= 300) return last;
    current = parseObject(last.body, writing.shard);
  }
  const { print, mediaType } = writing.print;
  const headers = [
    ...withoutHeaders(forwardedResponseHeaders(last?.headers ?? []), name => OF_THE_ANSWER.has(name)),
    ...[...warnings].flatMap(warning => ['warning', warning]),
    ...['cache-control', 'no-cache, private', 'content-type', mediaType],
  ];
  return { status: last?.status ?? 200, headers, body: Buffer.from(print(answer(current))) };
}

/** What is said here of the answer in the place of what the shard has said of its own. */
const OF_THE_ANSWER: ReadonlySet<string> = new Set([
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'etag',
  'warning',
]);

/** What the caller has said of the whole write holds of each of its steps. */
const OPTIONS: ReadonlySet<string> = new Set(['dryRun', 'fieldManager', 'fieldValidation']);

const optionsOf = ({ rest }: Execution): string =>
  new URLSearchParams([...rest.query].filter(([name]) => OPTIONS.has(name))).toString();

/** The write, about the path of a step, wherever the caller has sent it. */
function at(writing: ViewWriting, { subresource }: WriteStep): ViewWriting {
  const { call, rest } = writing;
  if (subresource === call.request.subresource) return writing;
  const added = subresource === '' ? [] : [subresource];
  const moved = (path: readonly string[]): readonly string[] =>
    call.request.subresource === '' ? [...path, ...added] : path.slice(0, -1);
  const rawSegments = moved(rest.rawSegments);
  return {
    ...writing,
    call: { ...call, request: { ...call.request, subresource, parts: moved(call.request.parts) } },
    rest: { ...rest, rawSegments, segments: moved(rest.segments), rawPath: `/${rawSegments.join('/')}` },
  };
}
