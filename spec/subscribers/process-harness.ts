import { processManager, type Application, type Clock, type ProcessManagerDefinition, type Router } from 'edict'
import { Add, Added, type counterRouter } from '../support/counter.ts'

type RoutesOf<Routing> = Routing extends Router<infer Routes> ? Routes : never

export type CounterApplication = Application<RoutesOf<typeof counterRouter>>

export interface Sum {
  readonly seen: number[]
}

type Definition = ProcessManagerDefinition<readonly [typeof Added], Sum>

/** Which counter, of those whose ids begin with `from-`, an event is of; the instance is the rest of its id. */
export function sourceOf(streamId: string): string | undefined {
  return /^counter-from-(.*)$/.exec(streamId)?.[1]
}

/** Adds what is added to `from-x` to `to-x` as well, and keeps what it has seen; an instance for each x. */
export function copier(definition: Partial<Definition> = {}, name = 'copier') {
  return processManager<string, readonly [typeof Added], Sum>(name, {
    events: [Added],
    initialState: () => ({ seen: [] }),
    interested: {
      Added: (_data, { streamId }) => {
        const id = sourceOf(streamId)
        return id === undefined ? undefined : { start: id }
      },
    },
    handle: { Added: (_state, { by }, _recorded, { instanceId }) => Add({ id: `to-${instanceId}`, by }) },
    apply: {
      Added: (state, { by }) => {
        state.seen.push(by)
      },
    },
    ...definition,
  })
}

/** Asks for an addition to a counter that is copied. */
export const addTo = (id: string, by: number) => Add({ id: `from-${id}`, by })

/** Adds to a counter that is copied. */
export async function add(app: CounterApplication, id: string, ...amounts: readonly number[]): Promise<void> {
  for (const by of amounts) await app.dispatch(addTo(id, by))
}

/** The machine's clock, but for waits of one length, which end when the spec says so, and not before on a machine that is slow. */
export function heldWaits(length: number): { readonly clock: Clock; readonly end: () => void } {
  const held = new Set<unknown>()
  const clock: Clock = {
    now: () => Date.now(),
    setTimeout: (callback, milliseconds) => {
      if (milliseconds !== length) return setTimeout(callback, milliseconds)
      held.add(callback)
      return callback
    },
    clearTimeout: (handle) => {
      if (!held.delete(handle)) clearTimeout(handle as ReturnType<typeof setTimeout>)
    },
  }
  const end = (): void => {
    const due = [...held] as (() => void)[]
    held.clear()
    for (const callback of due) callback()
  }
  return { clock, end }
}
