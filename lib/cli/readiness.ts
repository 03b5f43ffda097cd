import type { ApplicationInside } from '../application/inside.ts'
import { systemClock } from '../effects/clock.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import { describeThrown } from '../errors.ts'

/** Whether a server does its work, and why not. */
export interface Readiness {
  readonly ready: boolean
  /** Empty where it is ready. */
  readonly reasons: readonly string[]
}

/** Milliseconds in which the store has to answer. */
const STORE_PATIENCE = 2_000

/** Of an application in this process. */
export async function readinessOf(inside: ApplicationInside, isDraining: boolean): Promise<Readiness> {
  const reasons: string[] = []
  if (isDraining) reasons.push('draining: it was asked to end')
  else if (!inside.isRunning()) reasons.push(`the application ${inside.name} does not run`)
  else reasons.push(...stoppedHandlers(inside), ...(await silentStore(inside)))
  return { ready: reasons.length === 0, reasons }
}

function stoppedHandlers(inside: ApplicationInside): readonly string[] {
  const { board } = inside.services
  return inside.handlers().flatMap((name) => {
    const failure = board.handler(name)?.failure
    return failure === undefined ? [] : [`the handler ${name} has stopped: ${describeThrown(failure.error)}`]
  })
}

async function silentStore({ store }: ApplicationInside): Promise<readonly string[]> {
  try {
    const asked = (async () => store.headPosition())()
    if (await waitAtMost(systemClock, STORE_PATIENCE, asked)) return []
    return [`the ${store.name} event store has not answered within ${STORE_PATIENCE} ms`]
  } catch (thrown) {
    return [`the ${store.name} event store does not answer: ${describeThrown(thrown)}`]
  }
}
