/** Undefined: well. Otherwise what is missing, for a person: `waiting for shard root`. */
export type Check = () => string | undefined;

export interface HealthResponse {
  readonly code: 200 | 500;
  /** Plain text (`text/plain; charset=utf-8`). */
  readonly body: string;
}

export interface Health {
  /** Adds a named check to `/readyz` and `/healthz`. */
  addReadiness(name: string, check: Check): void;
  /** Adds checks that are not known beforehand, as those of another process. */
  addReadinessOf(others: () => readonly { readonly name: string; readonly check: Check }[]): void;
  /** Adds a named check to all three: failing it gets the process restarted. */
  addLiveness(name: string, check: Check): void;
  /** From now on `/readyz` fails, so that load balancers leave before the listener closes. */
  setDraining(): void;
  /**
   * The answer to a GET of `path`; undefined when it is no health endpoint. Reasons are told only with `reasons`: the main port
   * answers without authentication.
   */
  respond(path: string, query: URLSearchParams, reasons?: boolean): HealthResponse | undefined;
}

interface NamedCheck {
  readonly name: string;
  readonly check: Check;
  readonly endpoints: readonly string[];
}

/** Whether it is worth to ask `respond` about a request's target: all but a few requests are about something else. */
export const mayAskForHealth = (url: string): boolean => /^\/(?:live|ready|health)z/.test(url);

/** The health endpoints of a Kubernetes API server, in its words (k8s.io/apiserver/pkg/server/healthz). */
export function createHealth(): Health {
  let draining = false;
  const all = ['livez', 'readyz', 'healthz'];
  const checks: NamedCheck[] = [{ name: 'ping', check: () => undefined, endpoints: all }];
  const shutdown: NamedCheck = {
    name: 'shutdown',
    check: () => (draining ? 'the server is shutting down' : undefined),
    endpoints: ['readyz'],
  };
  const add = (name: string, check: Check, endpoints: readonly string[]): void => {
    if (name === shutdown.name || checks.some(other => other.name === name)) throw new Error(`check ${name} exists already`);
    checks.push({ name, check, endpoints });
  };

  const others: (() => readonly { readonly name: string; readonly check: Check }[])[] = [];

  return {
    addReadinessOf: further => void others.push(further),
    addReadiness: (name, check) => add(name, check, ['readyz', 'healthz']),
    addLiveness: (name, check) => add(name, check, all),
    setDraining() {
      draining = true;
    },
    respond(path, query, reasons = false) {
      const match = /^\/(livez|readyz|healthz)(?:\/(.+))?$/.exec(path);
      const endpoint = match?.[1];
      if (!endpoint) return undefined;
      const further = others.flatMap(list => list()).map(other => ({ ...other, endpoints: ['readyz', 'healthz'] }));
      const own = [...checks, ...further, shutdown].filter(({ endpoints }) => endpoints.includes(endpoint));
      if (match[2] === undefined) return respondAll(endpoint, own, query, reasons);
      const single = own.find(({ name }) => name === match[2]);
      return single && respondOne(single, reasons);
    },
  };
}

function respondOne({ check }: NamedCheck, reasons: boolean): HealthResponse {
  const failure = run(check);
  if (failure === undefined) return { code: 200, body: 'ok' };
  return { code: 500, body: `internal server error: ${reasons ? failure : 'reason withheld'}\n` };
}

function respondAll(endpoint: string, checks: readonly NamedCheck[], query: URLSearchParams, reasons: boolean): HealthResponse {
  const excluded = new Set(query.getAll('exclude'));
  let failed = false;
  const lines = checks.map(({ name, check }) => {
    if (excluded.delete(name)) return `[+]${name} excluded: ok\n`;
    const failure = run(check);
    if (failure === undefined) return `[+]${name} ok\n`;
    failed = true;
    return `[-]${name} failed: ${reasons ? failure : 'reason withheld'}\n`;
  });
  if (excluded.size > 0) {
    const names = [...excluded].sort().map(name => JSON.stringify(name));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(', ')}\n`);
  }
  if (failed) return { code: 500, body: `${lines.join('')}${endpoint} check failed\n` };
  return { code: 200, body: query.has('verbose') ? `${lines.join('')}${endpoint} check passed\n` : 'ok' };
}

/** A check that throws is not well. */
function run(check: Check): string | undefined {
  try {
    return check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
