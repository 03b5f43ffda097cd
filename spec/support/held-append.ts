import type { EventStore } from 'edict'
import { deferred } from './counter.ts'

export interface HeldAppend {
  readonly eventStore: EventStore
  readonly begun: Promise<void>
  readonly letGo: () => void
}

/** A store whose first append waits until it is let go. */
export function heldAppend(inner: EventStore): HeldAppend {
  const [begun, go] = [deferred(), deferred()]
  let isFirst = true
  const eventStore = new Proxy(inner, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (key === 'append' && isFirst) {
        return async (...given: Parameters<EventStore['append']>) => {
          isFirst = false
          begun.resolve()
          await go.promise
          return target.append(...given)
        }
      }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { eventStore, begun: begun.promise, letGo: go.resolve }
}
