import { badRequest, type StatusError } from '../kube/errors.ts';
import type { Exchange, UpgradeProtocol } from '../listener/exchange.ts';
import { HeaderNames, headerValues, type RawHeaders } from '../listener/headers.ts';
import { connectionNominated } from '../upstream/hop-by-hop.ts';

interface Rules {
  readonly methods: readonly string[];
  /** Without one of these, or with two, it is no such request. */
  readonly required: readonly string[];
  /** The request's headers that the other side has to see, beside those of any request. */
  readonly request: HeaderNames;
  /** Those of the answer 101 that the client has to see. */
  readonly response: HeaderNames;
}

/** What an upgrade needs beside `Connection` and `Upgrade`; everything else stays behind. */
const RULES: Readonly<Record<UpgradeProtocol, Rules>> = {
  websocket: {
    // RFC 6455 4.1.
    methods: ['GET'],
    required: ['sec-websocket-key', 'sec-websocket-version'],
    // An API server answers 403 to a watch without an Origin (golang.org/x/net/websocket).
    request: new HeaderNames([
      'origin',
      'sec-websocket-extensions',
      'sec-websocket-key',
      'sec-websocket-protocol',
      'sec-websocket-version',
    ]),
    response: new HeaderNames(['sec-websocket-accept', 'sec-websocket-extensions', 'sec-websocket-protocol']),
  },
  'SPDY/3.1': {
    methods: ['GET', 'POST'],
    required: [],
    // `HeaderProtocolVersion` of k8s.io/apimachinery's httpstream: which protocol of exec, attach or port-forward is spoken within.
    request: new HeaderNames(['x-stream-protocol-version']),
    response: new HeaderNames(['x-stream-protocol-version']),
  },
};

/** Why a request cannot be one to upgrade to the protocol; undefined if it can. */
export function upgradeFault(
  protocol: UpgradeProtocol,
  { method, headers }: { readonly method: string; readonly headers: RawHeaders },
): StatusError | undefined {
  const { methods, required } = RULES[protocol];
  if (!methods.includes(method)) return badRequest(`a ${method} request cannot be upgraded to ${protocol}`);
  const odd = required.find(name => headerValues(headers, name).length !== 1);
  return odd === undefined ? undefined : badRequest(`an upgrade to ${protocol} needs exactly one ${odd} header`);
}

/** The headers of the client's request that make it an upgrade on the next hop, too. */
export const upgradeRequestHeaders = ({ headers }: Pick<Exchange, 'headers'>, protocol: UpgradeProtocol): string[] => [
  ...['connection', 'Upgrade', 'upgrade', protocol],
  ...only(headers, RULES[protocol].request),
];

/** Those of an answer 101 for the client, and `further` ones. */
export const switchedHeaders = (headers: RawHeaders, protocol: UpgradeProtocol): string[] =>
  only(headers, RULES[protocol].response);

/** What `Connection` nominates is of the hop it came over (RFC 9110 7.6.1). */
function only(headers: RawHeaders, names: HeaderNames): string[] {
  const nominated = connectionNominated(headers);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (names.has(name) && !nominated.has(name)) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}
