import { parsedForm, YAML_MEDIA_TYPE } from '../kube/media-type.ts';
import type { KubeObject } from '../kube/objects.ts';
import { printYaml } from '../kube/yaml-print.ts';
import { headerValue } from '../listener/headers.ts';
import type { Transform } from '../view/view.ts';
import type { Execution } from './execution.ts';
import { represent } from './serve-representation.ts';

export interface Printer {
  readonly mediaType: string;
  print(object: KubeObject): string;
}

/** How the caller is shown what a write has made. Throws a StatusError 406 for what nobody can show. */
export function printerOf({ exchange, call }: Pick<Execution, 'exchange' | 'call'>, { of }: Pick<Transform, 'of'>): Printer {
  if (of) {
    const representation = represent(exchange, 'get', call.query, of);
    return { mediaType: representation.mediaType, print: representation.object };
  }
  const { mediaType } = parsedForm(headerValue(exchange.headers, 'accept'));
  return { mediaType, print: object => (mediaType === YAML_MEDIA_TYPE ? printYaml(object) : `${JSON.stringify(object)}\n`) };
}
