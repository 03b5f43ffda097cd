import { aggregate, application, command, event, inMemoryEventStore, reject, router, shape } from 'edict'
import type { Application, ApplicationDefinition, CommandProcessing, EventStore, Logger } from 'edict'

// A counter: the smallest domain that has a rule. For specs about the machinery; those about a business use the bank.

export const Add = command('Add', shape<{ id: string; by: number }>())
export const Noop = command('Noop', shape<{ id: string }>())
export const Explode = command('Explode', shape<{ id: string; with: unknown }>())
export const Added = event('Added', shape<{ by: number }>())

export const Counter = aggregate('Counter', {
  commands: [Add, Noop, Explode],
  events: [Added],
  initialState: () => ({ total: 0 }),
  execute: {
    Add: (_counter, { by }) => (by < 0 ? reject('negative', { by }) : Added({ by })),
    Noop: () => undefined,
    Explode: (_counter, { with: thrown }) => {
      throw thrown
    },
  },
  apply: {
    Added: (counter, { by }) => {
      counter.total += by
    },
  },
})

export const counterRouter = router('counters', (counters) =>
  counters.identify(Counter, { by: 'id', prefix: 'counter-' }).dispatch([Add, Noop, Explode], { to: Counter }),
)

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & { readonly entries: { level: string; fields: object; message: string }[] } {
  const entries: { level: string; fields: object; message: string }[] = []
  const at = (level: string) => (fields: object, message: string) => void entries.push({ level, fields, message })
  return { entries, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What a machine that is slow beyond measure, or stands still for a while, does not use up. */
const PATIENT = { timeout: 60_000, consistencyTimeout: 60_000 } as const

let made = 0
const running: { stop(): Promise<void> }[] = []

/**
 * A started application of a router; `stopAll` stops what a spec has left running. Where neither the spec nor a clock of its own says
 * otherwise, it is patient: what is quick here may take long there.
 */
export async function started<Routes, const Processing extends CommandProcessing = 'sync'>(
  definition: Omit<ApplicationDefinition<Routes, Processing>, 'name' | 'eventStore'> & {
    readonly name?: string
    readonly eventStore?: EventStore
  },
): Promise<Application<Routes, Processing>> {
  const app = application<Routes, Processing>({
    logger: recordingLogger(),
    ...definition,
    ...(definition.clock === undefined && { defaults: { ...PATIENT, ...definition.defaults } }),
    name: definition.name ?? `app-${++made}`,
    eventStore: definition.eventStore ?? inMemoryEventStore(),
  })
  await app.start()
  running.push(app)
  return app
}

export async function stopAll(): Promise<void> {
  for (const app of running.splice(0)) await app.stop()
}

/** A promise, and the two functions that settle it. */
export function deferred<Value = void>(): {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
} {
  let resolve!: (value: Value) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Waits until a condition holds, looking again at each turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not come true`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
