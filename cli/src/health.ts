import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parseArgs } from 'node:util';

const USAGE = `Asks a server for its health, for containers whose runtime wants a command. Exits with 0 for the answer 200, else with 1.

Usage:
  kcp-vw health <url> [flags]        kcp-vw health https://localhost:6443/readyz --ca-file=ca.crt

  --ca-file=<the path of a file>     CA of the server's certificate, which has to be for the host of the URL; the machine's if absent
  --timeout=<seconds>                how long an answer may take (default 5)
`;

/** `kcp-vw health <url>`. Returns the exit code; why it is 1 is one sentence on standard error. */
export async function health(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        'ca-file': { type: 'string' },
        timeout: { type: 'string', default: '5' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const [text = '', ...more] = positionals;
    const url = URL.parse(text);
    if (url?.protocol !== 'https:' || more.length > 0) throw new Error('health needs one https:// URL');
    const seconds = Number(values.timeout);
    if (!(seconds > 0 && seconds <= 3_600)) throw new Error(`--timeout takes seconds, not ${JSON.stringify(values.timeout)}`);
    const caFile = values['ca-file'];
    const { status, body } = await ask(url, caFile === undefined ? undefined : readFileSync(caFile), seconds * 1_000);
    process.stdout.write(body.endsWith('\n') ? body : `${body}\n`);
    return status === 200 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`kcp-vw: ${(error as Error).message}\n`);
    return 1;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(url: URL, ca: Buffer | undefined, milliseconds: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(milliseconds);
    // Said aloud: an environment variable could switch verification off.
    const probe = request(url, { signal, rejectUnauthorized: true, ...(ca && { ca }) }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    probe.once('error', error =>
      reject(signal.aborted ? new Error(`${url.host} did not answer within ${milliseconds / 1_000} s`) : error),
    );
    probe.end();
  });
}
