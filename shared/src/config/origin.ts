/**
 * Whether a text is `https://host:port` and nothing else: a path, a query or a user would be dropped on the way, and somebody relies on what
 * is written. The text is judged beside the URL that is made of it, since a parser takes away white space and turns backslashes.
 */
export const isOrigin = (text: string): boolean =>
  /^https:\/\/[^\s/?#@\\]+\/?$/i.test(text) && URL.parse(text)?.protocol === 'https:';
