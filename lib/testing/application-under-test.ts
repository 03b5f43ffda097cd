import { insideOf, type ApplicationInside } from '../application/inside.ts'
import { systemClock } from '../effects/clock.ts'
import { InvalidOptionError, NotRunningError } from '../errors.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'

/** An application, as the functions of the testing kit take it. */
export interface ApplicationUnderTest {
  readonly name: string
}

const LOOK_EVERY_MS = 5

/** @throws {NotRunningError} `not_running` */
export function runningInsideOf(application: ApplicationUnderTest, who: string): ApplicationInside {
  const inside = insideOf(application)
  if (inside === undefined) throw new InvalidOptionError(`${who}: that is no application(…)`)
  if (!inside.isRunning()) {
    throw new NotRunningError(`${who}: the application ${inside.name} is not running: await its start() first`)
  }
  return inside
}

/** The machine's time, also where the application has a clock that the test holds: that one may stand still for ever. */
export class Patience {
  readonly #end: number

  constructor(milliseconds: number) {
    this.#end = systemClock.now() + milliseconds
  }

  get isOver(): boolean {
    return systemClock.now() >= this.#end
  }

  /** A while, or until somebody calls `wake`. */
  static pause(onWake?: (wake: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        systemClock.clearTimeout(timer)
        unwatch?.()
        resolve()
      }
      const timer = systemClock.setTimeout(over, LOOK_EVERY_MS)
      const unwatch = onWake?.(over)
    })
  }
}

/** Every event after a position, as readers see it, up to the last one there is. */
export async function* eventsAfter(inside: ApplicationInside, position: number): AsyncGenerator<RecordedEvent> {
  const { store, codec } = inside.services
  let last = position
  for (;;) {
    const { events, lastPosition, headPosition } = await store.readAll({ fromPosition: last + 1 })
    for (const stored of events) yield* await codec.decode(stored)
    last = Math.max(last, lastPosition)
    if (last >= headPosition) return
  }
}
