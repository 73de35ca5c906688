// As much of JSON Schema as the documentation uses. A keyword that is not known is a mistake, not a pass.

export interface Schema {
  readonly [keyword: string]: unknown;
}

type Check = (wanted: never, value: unknown, schema: Schema) => boolean;

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
};

const CHECKS: Readonly<Record<string, Check>> = {
  $schema: () => true,
  type: (wanted: string, value) => TYPES[wanted](value),
  const: (wanted: unknown, value) => value === wanted,
  enum: (wanted: readonly unknown[], value) => wanted.includes(value),
  minimum: (wanted: number, value) => (value as number) >= wanted,
  minLength: (wanted: number, value) => (value as string).length >= wanted,
  required: (wanted: readonly string[], value) => isObject(value) && wanted.every((name) => name in value),
  properties: (wanted: Readonly<Record<string, Schema>>, value) =>
    isObject(value) && Object.entries(wanted).every(([name, one]) => !(name in value) || isValid(one, value[name])),
  additionalProperties: (_wanted: false, value, { properties }) =>
    isObject(value) && Object.keys(value).every((name) => name in (properties as object)),
  oneOf: (wanted: readonly Schema[], value) => wanted.filter((one) => isValid(one, value)).length === 1,
};

export function isValid(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, wanted]) => {
    const check = CHECKS[keyword];
    if (!check) throw new Error(`the schema has a keyword that is not known here: ${keyword}`);
    return check(wanted as never, value, schema);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
