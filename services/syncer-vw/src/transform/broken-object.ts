/** What is written on an object cannot be made sense of. The message says which part, and is for the syncer and its operator. */
export class BrokenObject extends Error {
  override readonly name = 'BrokenObject';
}
