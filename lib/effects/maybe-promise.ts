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
 * Goes on with the next stage of some work: at once where the value is there, later where it is a promise. `next` is a method,
 * called on `self`, so that a stage that needs not wait costs no closure.
 */
export function proceed<Value, Self, Next>(
  value: MaybePromise<Value>,
  self: Self,
  next: (this: Self, value: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  if (!isPromiseLike(value)) return next.call(self, value)
  return Promise.resolve(value).then((settled) => next.call(self, settled as Value))
}
