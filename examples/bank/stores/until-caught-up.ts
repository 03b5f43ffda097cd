import { setTimeout as pause } from 'node:timers/promises'
import type { BankStore } from './bank-store.ts'

/**
 * Resolves when the rows show every event that is stored now. Dispatches with strong consistency have waited for their own; what
 * an earlier run left behind, killed before its rows were written, nobody has waited for yet.
 *
 * @throws Error where that takes longer than so many milliseconds
 */
export async function untilCaughtUp({ eventStore, accountBalances }: BankStore, milliseconds: number): Promise<void> {
  const head = await eventStore.headPosition()
  const end = performance.now() + milliseconds
  for (;;) {
    const checkpoints = await eventStore.listCheckpoints(accountBalances.name)
    if (head === 0 || checkpoints.some(({ position }) => position >= head)) return
    if (performance.now() > end) throw new Error(`the accounts do not show all events within ${milliseconds} ms`)
    await pause(10)
  }
}
