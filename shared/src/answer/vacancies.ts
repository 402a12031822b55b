import { type Clock, systemClock } from '../informer/clock.ts';
import { serviceUnavailable } from '../kube/errors.ts';
import { requestJson } from '../upstream/json.ts';
import { requestText } from '../upstream/text.ts';
import { type Upstream, UpstreamError } from '../upstream/upstream.ts';
import { statusOf } from './upstream-failures.ts';
import { Vacancy } from './vacancy.ts';

/** The collections that the shard was asked for lately and does not serve. */
export interface Vacancies {
  /**
   * What is known of a collection whose path the shard has just answered as not served, at `atLeast` or later if there is such a version;
   * undefined: it is served after all. Throws a StatusError when the shard does not say.
   */
  at(path: string, versionFrom: string, atLeast: string): Promise<Vacancy | undefined>;
  /** The shard has just served it. */
  filled(path: string): void;
}

/** Whether an error says that there is no such collection. A collection of no objects is no error. */
export const isNotServed = (status: number, body: string): boolean =>
  status === 404 && (body.includes('404 page not found') || body.includes('the server could not find the requested resource'));

/** Asked as the service itself, whoever is waiting. */
export function createVacancies(shard: Upstream, clock: Clock = systemClock): Vacancies {
  const known = new Map<string, Vacancy>();

  const isServed = async (path: string): Promise<boolean> => {
    const { status, body } = await requestText(shard, { method: 'GET', path: `${path}?limit=1`, headers: ['accept', METADATA] });
    if (status === 200) return true;
    if (isNotServed(status, body)) return false;
    throw serviceUnavailable(`${shard.name} answered ${status} when it was asked whether it serves ${path}`);
  };
  const currentVersion = async (path: string): Promise<string> => {
    type List = { readonly metadata?: { readonly resourceVersion?: string } };
    const { status, body } = await requestJson<List>(shard, {
      method: 'GET',
      path: `${path}?limit=1`,
      headers: ['accept', METADATA],
    });
    const version = status === 200 ? body.metadata?.resourceVersion : undefined;
    if (version === undefined)
      throw serviceUnavailable(`${shard.name} answered ${status} when it was asked for its version, by ${path}`);
    return version;
  };
  const forgetOld = (): void => {
    for (const [path, vacancy] of known) if (!vacancy.isKept) known.delete(path);
  };

  return {
    async at(path, versionFrom, atLeast) {
      forgetOld();
      const vacancy =
        known.get(path) ??
        new Vacancy({ clock, isServed: () => isServed(path), currentVersion: () => currentVersion(versionFrom) });
      known.set(path, vacancy);
      try {
        if (await vacancy.confirm(atLeast)) return vacancy;
      } catch (error) {
        throw error instanceof UpstreamError ? statusOf(error, shard) : error;
      }
      known.delete(path);
      return undefined;
    },
    filled(path) {
      known.get(path)?.fill();
      known.delete(path);
    },
  };
}

/** Whatever is there, its metadata will do. */
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
