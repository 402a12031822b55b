/** Parameters that servers on one machine cannot share, that only ours know, and the verbosity of tests. */
const OWN_PARAMETERS = ['--secure-port', '--ops-port', '--audit-log-path', '--topology', '--v'];

const isOwn = (parameter: string | undefined): boolean => OWN_PARAMETERS.includes(parameter?.split('=')[0] ?? '');

/** What another server can be started with, out of the command line of the one that runs. */
export function sharedParameters([, ...parameters]: readonly string[]): string[] {
  const isOwnValue = (i: number): boolean => isOwn(parameters[i - 1]) && !parameters[i - 1]?.includes('=');
  return parameters.filter((parameter, i) => !isOwn(parameter) && !isOwnValue(i));
}

/** The value of a parameter that is written `--name=value`. Throws when there is none. */
export function parameterNamed(name: string, command: readonly string[]): string {
  const prefix = `--${name}=`;
  const found = command.find(parameter => parameter.startsWith(prefix));
  if (found === undefined) throw new Error(`the command line of the virtual workspaces has no ${prefix}…`);
  return found.slice(prefix.length);
}
