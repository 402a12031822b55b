import { sharedParameters } from './parameters.ts';
import type { Program } from './server.ts';

export interface ViewsProgram {
  readonly name: string;
  readonly executable: string;
  readonly port: number;
  /** Beyond those that all servers share. */
  readonly parameters: readonly string[];
}

/** One more server of virtual workspaces, with the parameters of the one that `command` has started. */
export function views(
  { executable, name, parameters, port }: ViewsProgram,
  command: readonly string[],
  workDir: string,
): Program {
  const mark = `--secure-port=${port}`;
  return {
    name,
    executable,
    // The verbosity of a production server: a line per refusal, none per request.
    parameters: [
      ...sharedParameters(command),
      ...parameters,
      mark,
      `--audit-log-path=${workDir}/logs/bench-${name}-audit.log`,
      '--v=2',
    ],
    mark,
    port,
    probe: '/readyz',
  };
}
