import { trustFrontProxy } from '../authn/front-proxy-peer.ts';
import { opsAddressOf } from '../config/flags-service.ts';
import type { Options } from '../config/options.ts';
import { loadServingTls, type ServingTls } from '../listener/tls.ts';
import type { ProcessHooks } from '../observe/lifeline.ts';
import type { Logger } from '../observe/log.ts';
import { type RegisterOptions, register } from '../registration/registrar.ts';
import { connectRegistry } from '../registration/registry-access.ts';
import type { ServiceDefinition } from './service.ts';
import { type ServiceServerOptions, serveViews } from './service-server.ts';

/** A service without a supervisor: the front proxy, on whatever host it is, comes over TLS and proves who it is with a certificate. */
export async function runServiceAlone(
  definition: ServiceDefinition,
  options: Options,
  log: Logger,
  hooks: ProcessHooks,
): Promise<void> {
  const { clientCAFile, requestHeader, bindAddress, securePort } = options;
  const ops = opsAddressOf(options);
  const tls = loadServingTls(
    {
      ...options.tls,
      // Known only so that its certificates can be told from the front proxy's.
      ...(clientCAFile && { clientCAFile }),
      ...(requestHeader.clientCAFile && { requestHeaderCAFile: requestHeader.clientCAFile }),
    },
    { onError: err => log.error({ err }, 'a changed certificate file cannot be used; the last good one stays in force') },
  );
  await serveViews(definition, {
    options,
    log,
    address: { host: bindAddress, port: securePort },
    tls,
    distrustOf: trustFrontProxy(requestHeader),
    ...(ops && { ops }),
    ...registration(options, tls, log),
    hooks,
  });
}

function registration(options: Options, tls: ServingTls, log: Logger): Pick<ServiceServerOptions, 'register'> {
  const { registration, shard } = options;
  const { advertisedUrl } = registration;
  if (advertisedUrl === undefined) {
    log.info('not registered, for want of --advertised-url: front proxies have to find this service in their file (--addresses)');
    return {};
  }
  const connect = (): ReturnType<RegisterOptions['connect']> => connectRegistry(options, log);
  return { register: (views, ready) => register({ connect, registration, advertisedUrl, views, shard, ready, tls, log }) };
}
