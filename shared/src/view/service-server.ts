import { setTimeout as sleep } from 'node:timers/promises';
import { sendStatus, sendText } from '../answer/send.ts';
import type { DistrustOf } from '../authn/front-proxy-peer.ts';
import { createCallerReader } from '../authn/request-headers.ts';
import type { OpsAddress } from '../config/flags-service.ts';
import type { Options } from '../config/options.ts';
import { toStatusError } from '../kube/errors.ts';
import { decorated } from '../listener/decorated-exchange.ts';
import type { Exchange } from '../listener/exchange.ts';
import { RESETS_OF_A_PROXY } from '../listener/front.ts';
import { createListener, formatListenAddress, type ListenAddress } from '../listener/listener.ts';
import type { ServingTls } from '../listener/tls.ts';
import { createHealth, type Health, mayAskForHealth } from '../observe/health.ts';
import type { ProcessHooks } from '../observe/lifeline.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { startOps } from '../observe/ops.ts';
import { reportReadiness } from '../observe/readiness-report.ts';
import { continueTrace } from '../observe/trace.ts';
import type { Registrar } from '../registration/registrar.ts';
import { parseTarget } from '../target/target.ts';
import { upgradesTo } from '../tunnel/upgrades.ts';
import { type RequestRecord, recordHeader } from './record.ts';
import { answerSelfTest, isSelfTest } from './self-test.ts';
import { type RunningService, type ServiceDefinition, startService } from './service.ts';

export interface ServiceServerOptions {
  readonly options: Options;
  readonly log: Logger;
  readonly address: ListenAddress;
  readonly tls?: ServingTls;
  /** Who is believed to be the front proxy. */
  readonly distrustOf: DistrustOf;
  readonly ops?: OpsAddress;
  /** Tells front proxies of these views, once they are served. `ready`: whether requests may come now. */
  readonly register?: (views: readonly string[], ready: () => boolean) => Registrar;
  readonly hooks: ProcessHooks;
}

/** Until front proxies have heard from the registry that this process takes no more requests. */
const HEARD_MS = 1_000;

interface Served {
  readonly service: RunningService;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly distrustOf: DistrustOf;
  readonly callerOf: ReturnType<typeof createCallerReader>;
}

/** Serves the views of one service to the front proxy, until the hooks end it. Rejects when it cannot start. */
export async function serveViews(definition: ServiceDefinition, server: ServiceServerOptions): Promise<void> {
  const { options, log, address, tls, distrustOf, ops, register, hooks } = server;
  const health = createHealth();
  const metrics = createMetrics({ views: [] });
  const service = await startService(definition, { options, log, metrics, health });
  const views = service.views.map(view => view.name);
  metrics.addViews(views);
  const served: Served = { service, health, metrics, distrustOf, callerOf: createCallerReader() };
  const handler = (exchange: Exchange): Promise<void> => serveExchange(exchange, served);
  const onError = (err: unknown): void => log.error({ err }, 'a request was not handled');
  const listener = await createListener({
    address,
    ...(tls && { tls }),
    limits: options.limits,
    streamResets: RESETS_OF_A_PROXY,
    handler,
    onUpgrade: upgradesTo({ handler, metrics, onError }),
    onError,
    onClientError: err => log.debug({ err }, 'a connection of the front proxy broke'),
  });
  const opsServer = ops && (await startOps({ address: ops, health, registry: metrics.registry }));
  hooks.listening(formatListenAddress(listener.address()), views);
  const registrar = register?.(views, () => health.respond('/readyz', new URLSearchParams())?.code === 200);
  const stopReporting = reportReadiness(health, hooks);
  hooks.onTerminate(async () => {
    stopReporting();
    health.setDraining();
    await registrar?.drain();
    // Behind a socket of its own host, the front proxy has waited already.
    if (tls) await sleep(Math.max(options.limits.shutdownDelay, registrar ? HEARD_MS : 0));
    service.drain();
    await listener.drain();
    await registrar?.withdraw();
    await service.stop();
    tls?.close();
    await opsServer?.close();
  });
}

/** One request. Nothing of it is looked at before it is known to come from the front proxy, except whether it asks for health. */
async function serveExchange(exchange: Exchange, served: Served): Promise<void> {
  const { health, metrics, distrustOf } = served;
  const record: RequestRecord = {};
  const finished = metrics.requestStarted();
  exchange.onClose(() => {
    finished({ method: exchange.method, code: exchange.status, view: record.view, startedAt: exchange.startedAt });
  });
  const refusal = distrustOf(exchange.peer);
  // Health is the front proxy's own question, with no caller behind it; from others, a kubelet's, who are not told the reasons.
  if (mayAskForHealth(exchange.url)) {
    const [path = '', query] = exchange.url.split('?', 2);
    const answer = health.respond(path, new URLSearchParams(query), refusal === undefined);
    if (answer) return sendText(exchange, answer.code, answer.body);
  }
  if (refusal) {
    metrics.rejected(refusal.status.reason ?? '');
    return sendStatus(exchange, refusal);
  }
  await serveFrontProxy(exchange, served, record);
}

/** The identity is the one that the front proxy stamped. */
async function serveFrontProxy(exchange: Exchange, { service, callerOf }: Served, record: RequestRecord): Promise<void> {
  const described = decorated(exchange, { responseHeaders: headers => [...headers, ...recordHeader(record)] });
  try {
    if (isSelfTest(exchange)) return await answerSelfTest(exchange, callerOf(exchange.headers), service.control);
    const target = parseTarget(exchange.url);
    await continueTrace(exchange.headers, () => service.host(described, callerOf(exchange.headers), target, record));
  } catch (error) {
    sendStatus(described, toStatusError(error));
  }
}
