import type { Client } from './client.ts';

export interface Answered {
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
  /** 0 where the connection ended without a complete answer. */
  readonly status: number;
  readonly why?: string;
}

/** Asks again and again until it is stopped, and remembers when each answer came. */
export class SteadyLoad {
  readonly answers: Answered[] = [];
  readonly #workers: Promise<void>[];
  #stopped = false;

  constructor(workers: number, clientOf: () => Client, path: string) {
    this.#workers = Array.from({ length: workers }, () => this.#work(clientOf(), path));
  }

  async #work(client: Client, path: string): Promise<void> {
    while (!this.#stopped) {
      const answer = await ask(client, path);
      this.answers.push({ at: performance.now(), ...answer });
    }
  }

  /** The answers since the last call that were no 200. */
  takeFailures(): Answered[] {
    return this.answers.splice(0).filter(({ status }) => status !== 200);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }
}

async function ask(client: Client, path: string): Promise<Omit<Answered, 'at'>> {
  try {
    const { status, text } = await client.get(path);
    return status === 200 ? { status } : { status, why: text.slice(0, 300) };
  } catch (error) {
    return { status: 0, why: String(error) };
  }
}
