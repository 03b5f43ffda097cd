/**
 * A state as `apply` may change it: nothing is read-only, at any depth. It says what Immer's own type says, and stands here so
 * that the types of your aggregates never name a package that you do not depend on.
 */
export type Draft<Value> = Value extends Unchanged
  ? Value
  : Value extends ReadonlyMap<infer Key, infer Item>
    ? Map<Key, Draft<Item>>
    : Value extends ReadonlySet<infer Item>
      ? Set<Draft<Item>>
      : Value extends object
        ? { -readonly [Key in keyof Value]: Draft<Value[Key]> }
        : Value

type Unchanged =
  | string
  | number
  | boolean
  | bigint
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | ArrayBufferView
  | ((...args: never) => unknown)
