import type { ServiceDefinition } from '@kcp-vw/shared/view/service.ts';

/** The services that one process can hold. Loaded when asked for: each brings its own code. */
const DEFINITIONS: Readonly<Record<string, () => Promise<ServiceDefinition>>> = {
  'apiexport-vw': async () => (await import('@kcp-vw/apiexport-vw/service.ts')).apiExportService,
  'initializer-vw': async () => (await import('@kcp-vw/initializer-vw/service.ts')).initializerService,
  'syncer-vw': async () => (await import('@kcp-vw/syncer-vw/service.ts')).syncerService,
  'workspaces-vw': async () => (await import('@kcp-vw/workspaces-vw/service.ts')).workspacesService,
};

export const serviceNames = (): string[] => Object.keys(DEFINITIONS).sort();

/** Rejects with an Error that names the services there are. */
export async function definitionOf(name: string): Promise<ServiceDefinition> {
  const load = Object.hasOwn(DEFINITIONS, name) ? DEFINITIONS[name] : undefined;
  if (load === undefined) throw new Error(`there is no service ${JSON.stringify(name)}: ${serviceNames().join(', ')}`);
  return load();
}
