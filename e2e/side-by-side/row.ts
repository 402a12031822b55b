/** Who sends a request; `scenario/users.ts` says what they may do. */
export type UserName =
  | 'masters'
  | 'masters-as-provider'
  | 'provider'
  | 'reader'
  | 'member'
  | 'nobody'
  | 'anonymous'
  | 'bad-token'
  | 'service-account'
  | 'foreign-service-account'
  | 'proxy'
  | 'proxy-without-user'
  | 'token-user';

/** A change that is made at the shard by masters. `{…}` stands for a name of the scenario, `{copy}` for the side's own copy. */
export interface Change {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/clusters/`. */
  readonly path: string;
  readonly body?: unknown;
}

/** One request that both servers get. In path, headers and body, `{…}` stands for a name of the scenario. */
export interface Row {
  /** Unique within its subject. */
  readonly name: string;
  /** By default `provider`. */
  readonly user?: UserName;
  /** By default `wild`, the export's. */
  readonly view?: string;
  /** By default GET. */
  readonly method?: string;
  /** After the view's prefix, sent as it stands. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as it is when it is a string or bytes, else as JSON. */
  readonly body?: unknown;
  /** By default `application/json` where there is a body. */
  readonly contentType?: string;
  readonly http2?: boolean;
  /** The answer is read for so many milliseconds; it may stay open. */
  readonly readFor?: number;
  /** Made once, while both watches are open. */
  readonly during?: readonly Change[];
  /** Made before the request, once for each side. */
  readonly given?: readonly Change[];
  /** A path at the shard; what stands there after the request is compared, too. */
  readonly stored?: string;
  /** Every page of a list is fetched, and all of them compared. */
  readonly pages?: boolean;
  /** The items of the list come in no order at all in kcp's server. */
  readonly unordered?: boolean;
  /** Whether JSON is indented or compact is compared, too. */
  readonly layout?: boolean;
}
