import type { ServiceDefinition } from '@kcp-vw/shared/view/service.ts';

/** The services that one process can hold. Loaded when asked for: each brings its own code. */
const DEFINITIONS: Readonly<Record<string, () => Promise<ServiceDefinition>>> = {
  'initializer-vw': async () => (await import('@kcp-vw/initializer-vw/service.ts')).initializerService,
};

/** Rejects with an Error that names the services there are. */
export async function definitionOf(name: string): Promise<ServiceDefinition> {
  const load = DEFINITIONS[name];
  if (load === undefined) throw new Error(`there is no service ${name}: ${Object.keys(DEFINITIONS).sort().join(', ')}`);
  return load();
}
