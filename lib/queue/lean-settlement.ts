import type { Settlement, StoredFailure } from '../event-store/command-queue-store.ts'

const LONGEST_MESSAGE = 500

/**
 * The least that can be said of how a command has ended, where the store never takes all of it. A command that took effect keeps that,
 * and loses its reply; a failure keeps its code, and loses its details.
 */
export function leanSettlement(settlement: Settlement, why: string): Settlement {
  if (settlement.state === 'queued') return settlement
  if (settlement.state === 'completed') return { ...settlement, result: withoutReply(settlement.result) }
  return { ...settlement, failure: leanFailure(settlement.failure, why) }
}

function withoutReply(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return undefined
  return Object.fromEntries(Object.entries(result).filter(([key]) => key !== 'reply'))
}

function leanFailure({ code, name, message, details }: StoredFailure, why: string): StoredFailure {
  const outcome = (details as { readonly outcome?: unknown } | null | undefined)?.outcome
  return {
    code: code.slice(0, LONGEST_MESSAGE),
    name: name.slice(0, LONGEST_MESSAGE),
    message: `${message.slice(0, LONGEST_MESSAGE)} (the store refuses what else there is to it: ${why.slice(0, LONGEST_MESSAGE)})`,
    // Whether the command may have taken effect is not to be lost.
    ...(outcome === 'unknown' && { details: { outcome } }),
  }
}
