import type { ApplicationInside } from '../application/inside.ts'
import { isOfInterest } from '../dispatch/board-entry.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import { ExpectationError } from './expectation-error.ts'
import { eventsAfter, Patience, runningInsideOf, type ApplicationUnderTest } from './application-under-test.ts'

/** How long the kit waits where a test does not say it, in milliseconds. */
export const DEFAULT_PATIENCE_MS = 2_000

/** From where on, and for how long, an event is waited for. */
export interface ReceiveOptions {
  /** Only events after this position. @default 0, every event that is stored */
  readonly after?: number
  /** Milliseconds of the machine's time. @default 2_000 */
  readonly timeout?: number
}

export const RECEIVE_OPTIONS = ['after', 'timeout'] as const

/**
 * Waits until an application has come to rest: no command is under way, and every handler has handled what interests it. One that has
 * stopped is not waited for. Time passes as on the machine, whatever clock the application has.
 *
 * @example
 * import { settled } from 'edict/testing'
 *
 * await bank.start()
 * await bank.dispatch(OpenAccount({ accountNumber: 'ACC123', initialBalance: 5 }))
 * await settled(bank)
 *
 * @returns the position of the last event
 * @throws {NotRunningError} `not_running`
 * @throws {InvalidOptionError} `invalid_option` for an option that is none
 */
export async function settled(
  application: ApplicationUnderTest,
  options: Pick<ReceiveOptions, 'timeout'> = {},
): Promise<number> {
  const { timeout = DEFAULT_PATIENCE_MS } = options
  const inside = runningInsideOf(application, 'settled')
  checkOptions('settled', options, ['timeout'])
  const patience = new Patience(timeout)
  for (;;) {
    const work = await workLeft(inside)
    if (work.length === 0) return inside.services.store.headPosition()
    if (patience.isOver) {
      const what = `the application ${inside.name} did not come to rest within ${timeout} ms`
      throw new ExpectationError(what, { atWork: [] }, { atWork: work })
    }
    await Patience.pause()
  }
}

/** Who is at work: the commands, or the handlers by name. */
async function workLeft(inside: ApplicationInside): Promise<readonly string[]> {
  const { store } = inside.services
  if (await hasCommands(inside)) return ['commands']
  const head = await store.headPosition()
  const behind: string[] = []
  for (const name of inside.handlers()) if (await isBehind(inside, name)) behind.push(name)
  if (behind.length > 0) return behind
  // A handler may have dispatched a command while the others were asked.
  const moved = (await hasCommands(inside)) || (await store.headPosition()) > head
  return moved ? ['commands'] : []
}

async function hasCommands(inside: ApplicationInside): Promise<boolean> {
  const idle = inside.idle().then(() => false)
  return Promise.race([idle, Patience.pause().then(() => true)])
}

async function isBehind(inside: ApplicationInside, name: string): Promise<boolean> {
  const handler = inside.services.board.handler(name)
  if (handler === undefined || handler.failure !== undefined) return false
  for await (const event of eventsAfter(inside, handler.position)) {
    if (isOfInterest(handler, event)) return true
  }
  return false
}
