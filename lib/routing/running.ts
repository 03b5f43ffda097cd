import { AmbiguousApplicationError, NoApplicationError } from '../errors.ts'
import type { DispatchOptions } from './dispatch-options.ts'
import type { ExecutionResult } from './execution-result.ts'

/** A running application, as a router sees it. */
export interface RunningApplication {
  readonly name: string
  /** The application value that users hold, to compare `{ application }` with. */
  readonly self: object
  dispatch(command: unknown, options: DispatchOptions | undefined): Promise<ExecutionResult>
}

const runningByRouter = new WeakMap<object, RunningApplication[]>()

/** Called by an application that starts, for each router that it holds, to any depth. Gives the call that takes it back. */
export function attachRunning(router: object, application: RunningApplication): () => void {
  const running = runningByRouter.get(router) ?? []
  runningByRouter.set(router, [...running, application])
  return () => {
    const left = (runningByRouter.get(router) ?? []).filter((one) => one !== application)
    if (left.length === 0) runningByRouter.delete(router)
    else runningByRouter.set(router, left)
  }
}

/** The one running application that a router's dispatch means. */
export function runningApplicationOf(
  router: object,
  routerName: string,
  chosen: DispatchOptions['application'] | undefined,
): RunningApplication {
  const running = runningByRouter.get(router) ?? []
  if (chosen === undefined) {
    const [only, second] = running
    if (only === undefined) {
      throw new NoApplicationError(
        `no running application holds the router ${routerName}: make one with application({ router }) and await its start()`,
      )
    }
    if (second === undefined) return only
    const names = running.map((one) => one.name).join(', ')
    throw new AmbiguousApplicationError(
      `several running applications hold the router ${routerName} (${names}): choose one with { application }`,
    )
  }
  const found = running.filter((one) => one.name === chosen || one.self === chosen)
  const [one, another] = found
  const wanted = typeof chosen === 'string' ? chosen : chosen.name
  if (one === undefined) {
    throw new NoApplicationError(`no running application ${wanted} holds the router ${routerName}`)
  }
  if (another !== undefined) {
    throw new AmbiguousApplicationError(`several running applications are named ${wanted}: pass the application itself`)
  }
  return one
}
