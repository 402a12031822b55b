import { sendStatus, sendText } from '../answer/send.ts';
import { callerFromFrontProxy } from '../authn/request-headers.ts';
import { readServiceArguments } from '../config/flags-service.ts';
import { UsageError } from '../config/flags-values.ts';
import { SERVICES } from '../config/options.ts';
import { toStatusError } from '../kube/errors.ts';
import { decorated } from '../listener/decorated-exchange.ts';
import type { Exchange } from '../listener/exchange.ts';
import { createListener } from '../listener/listener.ts';
import { createHealth, type Health } from '../observe/health.ts';
import { childOf } from '../observe/lifeline.ts';
import { createLogger } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { startOps } from '../observe/ops.ts';
import { reportReadiness } from '../observe/readiness-report.ts';
import { continueTrace } from '../observe/trace.ts';
import { parseTarget } from '../target/target.ts';
import { type RequestRecord, recordHeader } from './record.ts';
import { type RunningService, type ServiceDefinition, startService } from './service.ts';

/** The whole life of a service's process: started by the supervisor, reached by the front proxy over a Unix socket. */
export async function runServiceProcess(definition: ServiceDefinition): Promise<void> {
  const supervisor = childOf(definition.name);
  await supervisor.guard(async () => {
    const { options, socket, ops } = readServiceArguments(process.argv.slice(2));
    if (socket === undefined) throw new UsageError('--socket is missing: this program is started by kcp-vw up');
    const log = createLogger({ name: definition.name, verbosity: options.verbosity });
    const health = createHealth();
    const metrics = createMetrics({ views: SERVICES[definition.name]?.views ?? [] });
    const service = await startService(definition, { options, log, metrics, health });
    const listener = await createListener({
      address: { socketPath: socket },
      limits: options.limits,
      handler: exchange => serveExchange(exchange, service, health, metrics),
      onError: err => log.error({ err }, 'a request was not handled'),
      onClientError: err => log.debug({ err }, 'a connection of the front proxy broke'),
    });
    const opsServer = ops && (await startOps({ address: ops, health, registry: metrics.registry }));
    supervisor.listening(
      socket,
      service.views.map(view => view.name),
    );
    const stopReporting = reportReadiness(health, supervisor);
    supervisor.onTerminate(async () => {
      stopReporting();
      health.setDraining();
      service.drain();
      await listener.drain();
      await service.stop();
      await opsServer?.close();
    });
  });
}

/** One request from the front proxy: the identity is the one that it stamped. */
async function serveExchange(exchange: Exchange, service: RunningService, health: Health, metrics: Metrics): Promise<void> {
  const record: RequestRecord = {};
  const finished = metrics.requestStarted();
  exchange.onClose(() => {
    finished({ method: exchange.method, code: exchange.status, view: record.view, startedAt: exchange.startedAt });
  });
  const described = decorated(exchange, { responseHeaders: headers => [...headers, ...recordHeader(record)] });
  try {
    const target = parseTarget(exchange.url);
    // The front proxy's own question: no caller stands behind it.
    const answer = health.respond(target.rawPath, target.query, true);
    if (answer) return sendText(exchange, answer.code, answer.body);
    await continueTrace(exchange.headers, () => service.host(described, callerFromFrontProxy(exchange.headers), target, record));
  } catch (error) {
    sendStatus(described, toStatusError(error));
  }
}
