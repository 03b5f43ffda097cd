/** A value, or a promise of it: work stays synchronous until something is truly asynchronous. */
export type MaybePromise<Value> = Value | PromiseLike<Value>

/** Whether a value is a promise or a thenable. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/**
 * What a function gives for each item, some of it perhaps as promises. Where it throws for one, those that it gave before are not
 * left to reject with nobody to hear of it.
 */
export function allOrNone<Item, Value>(
  items: readonly Item[],
  give: (item: Item) => MaybePromise<Value>,
): readonly MaybePromise<Value>[] {
  const given: MaybePromise<Value>[] = []
  try {
    for (const item of items) given.push(give(item))
    return given
  } catch (error) {
    for (const one of given) if (isPromiseLike(one)) Promise.resolve(one).catch(() => undefined)
    throw error
  }
}

/**
 * Whether the house's own code gave a promise for later, rather than the value. A tenth of what looking for a `then` costs, since
 * that is looked up on every kind of object there is; so what comes from elsewhere is turned into real promises at the door.
 */
export function isLater<Value>(value: MaybePromise<Value>): value is PromiseLike<Value> {
  return value instanceof Promise
}

/**
 * Goes on with the next stage of some work: at once where the value is there, later where it is a promise. `next` is a method,
 * called on `self`, so that a stage that needs not wait costs no closure.
 */
export function proceed<Value, Self, Next>(
  value: MaybePromise<Value>,
  self: Self,
  next: (this: Self, value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  if (!isLater(value)) return next.call(self, value)
  return value.then((settled) => next.call(self, settled))
}

/** What some work gives; where it throws or rejects, what `failed` gives for that. */
export function contained<Value, Other>(
  work: () => MaybePromise<Value>,
  failed: (error: unknown) => MaybePromise<Other>,
): MaybePromise<Value | Other> {
  try {
    const value = work()
    return isPromiseLike(value) ? value.then(undefined, failed) : value
  } catch (error) {
    return failed(error)
  }
}

/** Goes on with what any promise or value holds, at once where it is there; for where a closure more does not matter. */
export function afterwards<Value, Next>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  return isPromiseLike(value) ? value.then(next) : next(value)
}
