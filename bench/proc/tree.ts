interface Descendant {
  readonly pid: number;
  readonly parent: number;
}

/** Those of the processes that are roots or descend from one, each once. */
export function treeOf<P extends Descendant>(roots: readonly number[], processes: readonly P[]): P[] {
  const found = new Set(processes.filter(({ pid }) => roots.includes(pid)));
  // A set is read to its end even as it grows: the children of a child come after it.
  for (const { pid } of found) {
    for (const process of processes) if (process.parent === pid) found.add(process);
  }
  return [...found];
}
