/** One parameter of the query, as the route declares it. */
export interface QueryParameter {
  readonly name: string;
  /** Without it the call is refused. */
  readonly required?: boolean;
  /** JSON Schema of the value; `type: 'array'` for one that may be repeated. */
  readonly schema: object;
  readonly description?: string;
}

export const textParameter = (name: string, description?: string): QueryParameter => ({
  name,
  schema: { type: 'string' },
  description,
});

export const flagParameter = (name: string, description?: string): QueryParameter => ({
  name,
  schema: { type: 'boolean', default: false },
  description,
});

export const longParameter = (name: string, description?: string): QueryParameter => ({
  name,
  schema: { type: 'integer', format: 'int64' },
  description,
});

export const choiceParameter = (name: string, choices: readonly string[], description?: string): QueryParameter => ({
  name,
  schema: { type: 'string', enum: choices },
  description,
});

export const required = (parameter: QueryParameter): QueryParameter => ({ ...parameter, required: true });

/** The comma list `<name>` and its repeatable twin `<single>`, as `Query.list` reads them. */
export const listParameters = (name: string, single: string): QueryParameter[] => [
  textParameter(name, 'Comma list'),
  {
    name: single,
    schema: { type: 'array', items: { type: 'string' } },
    description: `One of ${name}; may be repeated`,
  },
];

/** As `pageQuery` reads them (server contract 1.3). @param sortable names that may be sorted by */
export const pagingParameters = (sortable: readonly string[]): QueryParameter[] => [
  { name: 'pageSize', required: true, schema: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } },
  { name: 'page', required: true, schema: { type: 'integer', minimum: 0 }, description: 'From 0' },
  textParameter('textSearch', 'Part of the name, in any letter case'),
  choiceParameter('sortProperty', sortable),
  choiceParameter('sortOrder', ['ASC', 'DESC']),
];
