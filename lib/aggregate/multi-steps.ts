/** One step of a multi, or one for each item of a list. */
export interface MultiStep {
  readonly name: string | undefined
  readonly items: readonly unknown[] | undefined
  readonly run: (state: unknown, item: unknown, named: Readonly<Record<string, unknown>>) => unknown
}

/** The run-time body of `multi`: steps in order, not run yet. Immutable, so that a half-built multi can be shared. */
export class MultiSteps {
  readonly state: unknown
  readonly steps: readonly MultiStep[]

  constructor(state: unknown, steps: readonly MultiStep[]) {
    this.state = state
    this.steps = steps
  }

  execute(...args: [nameOrRun: unknown, run?: unknown]): MultiSteps {
    const [name, run] = named(args, 'execute')
    return this.#with({ name, items: undefined, run: (state, _item, steps) => run(state, steps) })
  }

  reduce(...args: [nameOrItems: unknown, itemsOrRun: unknown, run?: unknown]): MultiSteps {
    const [name, items, run] = typeof args[0] === 'string' ? args : [undefined, ...args]
    if (items === null || typeof items !== 'object' || !(Symbol.iterator in items)) {
      throw new TypeError('multi(…).reduce(list, step) needs a list')
    }
    const step = checked(run, 'reduce')
    return this.#with({ name: name as string | undefined, items: [...(items as Iterable<unknown>)], run: step })
  }

  #with(step: MultiStep): MultiSteps {
    if (step.name !== undefined && this.steps.some(({ name }) => name === step.name)) {
      throw new TypeError(`multi(…) has two steps named ${step.name}`)
    }
    return new MultiSteps(this.state, [...this.steps, step])
  }
}

type Run = (...args: unknown[]) => unknown

function named(args: readonly unknown[], method: string): [string | undefined, Run] {
  return typeof args[0] === 'string' ? [args[0], checked(args[1], method)] : [undefined, checked(args[0], method)]
}

function checked(run: unknown, method: string): Run {
  if (typeof run !== 'function') throw new TypeError(`multi(…).${method} needs a function for its step`)
  return run as Run
}
