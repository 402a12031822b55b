/** A column of a Table (`meta.k8s.io/v1 TableColumnDefinition`). */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 shows the column always, higher only with `-o wide`. */
  readonly priority: number;
  /** Dot path into the object, as in a CRD's additionalPrinterColumns: `.status.phase`. */
  readonly jsonPath: string;
}
