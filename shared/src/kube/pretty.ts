const READ_BY_PEOPLE = /^(curl|Wget|Mozilla\/5\.0)/;

/** Whether JSON is indented (`isPrettyPrint` of k8s.io/apiserver): as the query says, else for what people read with. */
export function wantsPretty(userAgent: string | undefined, query: URLSearchParams): boolean {
  const asked = query.get('pretty');
  if (asked !== null && asked !== '') return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(asked);
  return READ_BY_PEOPLE.test(userAgent ?? '');
}
