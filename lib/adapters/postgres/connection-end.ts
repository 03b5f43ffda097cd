import { clearImmediate, setImmediate } from 'node:timers'
import type { ClientBase } from 'pg'
import { storeFailure } from './failure.ts'
import { cut } from './silence.ts'

/** A look at a connection that somebody's work goes on with, which may wait for something else meanwhile. */
export interface WatchedConnection {
  /** Rejects with a StoreError `store_failed` when the connection is gone; otherwise it never settles. */
  readonly lost: Promise<never>
  /** Cuts the connection, for this reason. */
  end(reason: Error): void
  endWatch(): void
}

/** Whoever waits for anything but an answer of the server would not be told that the transaction is over. */
export function watchEnd(client: ClientBase): WatchedConnection {
  let cause: unknown
  let telling: NodeJS.Immediate | undefined
  let tell!: (error: unknown) => void
  const lost = new Promise<never>((_resolve, reject) => {
    tell = reject
  })
  lost.catch(() => undefined)
  const failed = (error: unknown) => {
    cause ??= error
    // A statement that is under way is rejected too, and the work tells by itself what that means for it.
    telling ??= setImmediate(() => {
      tell(storeFailure('go on with a transaction', cause))
    })
  }
  const ended = () => {
    failed(new Error('the connection was ended'))
  }
  client.on('error', failed)
  client.on('end', ended)
  return {
    lost,
    end: (reason) => {
      failed(reason)
      cut(client)
    },
    endWatch: () => {
      clearImmediate(telling)
      client.off('error', failed)
      client.off('end', ended)
    },
  }
}
