import type { StandardSchemaV1 } from '@standard-schema/spec'

const shapes = new WeakSet<object>()

/**
 * A schema that only types: it checks nothing as the program runs. For events that your own aggregates make.
 *
 * @example
 * const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())
 */
export function shape<Data>(): StandardSchemaV1<Data, Data> {
  const schema: StandardSchemaV1<Data, Data> = {
    '~standard': { version: 1, vendor: 'edict', validate: (value) => ({ value: value as Data }) },
  }
  shapes.add(schema)
  return schema
}

/** Whether a schema is one of `shape`, whose check can be passed over. */
export function isShape(schema: object): boolean {
  return shapes.has(schema)
}
