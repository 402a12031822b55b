import type { Subject } from './facts.ts';

/** One string for each subject, however many bindings and edges name it; forgotten with the last binding. */
export class SubjectPool {
  readonly #entries = new Map<Subject, { readonly subject: Subject; uses: number }>();

  get size(): number {
    return this.#entries.size;
  }

  use(subject: Subject): Subject {
    let entry = this.#entries.get(subject);
    if (!entry) {
      entry = { subject, uses: 0 };
      this.#entries.set(subject, entry);
    }
    entry.uses += 1;
    return entry.subject;
  }

  release(subject: Subject): void {
    const entry = this.#entries.get(subject);
    if (!entry) return;
    entry.uses -= 1;
    if (entry.uses === 0) this.#entries.delete(subject);
  }
}
