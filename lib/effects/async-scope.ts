/** A value that follows a piece of work through all that it awaits. */
export interface AsyncScope<Value> {
  run<Result>(value: Value | undefined, work: () => Result): Result
  current(): Value | undefined
}

interface LocalStorage<Value> {
  run<Result>(value: Value, work: () => Result): Result
  getStore(): Value | undefined
}

interface HostProcess {
  readonly getBuiltinModule?: (
    id: string,
  ) => { readonly AsyncLocalStorage?: new () => LocalStorage<unknown> } | undefined
}

/**
 * A scope where the platform has one (Node, Bun, Deno), else undefined. Asked for, not imported, so that the core loads in a
 * browser too.
 */
export function asyncScope<Value>(): AsyncScope<Value> | undefined {
  const host = (globalThis as { readonly process?: HostProcess }).process
  const AsyncLocalStorage = host?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage
  if (AsyncLocalStorage === undefined) return undefined
  const storage = new AsyncLocalStorage() as LocalStorage<Value | undefined>
  return { run: (value, work) => storage.run(value, work), current: () => storage.getStore() }
}
