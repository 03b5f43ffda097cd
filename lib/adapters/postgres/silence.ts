import type { ClientBase } from 'pg'

/** What stands behind a connection of `pg`, which its types do not show. */
interface WithStream {
  readonly connection?: { readonly stream?: { readonly bytesRead: number; destroy(): void } }
}

/** Ends a connection at once, without a word to the server. */
export function cut(client: ClientBase): void {
  // See WithStream.
  ;(client as unknown as WithStream).connection?.stream?.destroy()
}

/**
 * Ends a connection on which nothing has come for so many milliseconds: over a network that has lost it without a word, whoever
 * waits for an answer would wait for as long as the operating system does, which is a quarter of an hour and more.
 *
 * @returns a function that ends the watch
 */
export function endWhenSilent(client: ClientBase, milliseconds: number): () => void {
  // See WithStream.
  const { connection } = client as unknown as WithStream
  let heard = connection?.stream?.bytesRead
  const timer = setInterval(() => {
    const now = connection?.stream?.bytesRead
    if (now === heard) cut(client)
    heard = now
  }, milliseconds).unref()
  return () => {
    clearInterval(timer)
  }
}
