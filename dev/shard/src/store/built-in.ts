import type { TableColumn } from '@kcp-vw/shared/kube/table.ts';
import type { ResourceDefinition } from './definition.ts';

export const AGE: TableColumn = {
  name: 'Age',
  type: 'date',
  description: '',
  priority: 0,
  jsonPath: '.metadata.creationTimestamp',
};

/** A column of text. */
export const text = (name: string, jsonPath: string, description = ''): TableColumn => ({
  ...{ name, type: 'string', description, priority: 0, jsonPath },
});

type Shape = Pick<ResourceDefinition, 'group' | 'resource' | 'singular' | 'kind' | 'namespaced'> & Partial<ResourceDefinition>;

/** A resource of Kubernetes itself: of one version, with Go types. */
export const builtIn = (shape: Shape): ResourceDefinition => ({
  versions: ['v1'],
  custom: false,
  statusSubresource: false,
  tracksGeneration: false,
  columns: [AGE],
  ...shape,
});

export const CREATED_AT: TableColumn = { ...AGE, name: 'Created At', type: 'string' };
