import { runningHere, type RunningHandler } from '../dispatch/running-handler.ts'

/** What runs in a dry run is seen to: by itself, it is to store nothing. */
export class Rehearsing implements RunningHandler {
  readonly instance = undefined
  readonly dispatchedFrom = runningHere()
  #services: object | undefined

  constructor(services: object) {
    this.#services = services
  }

  get rehearses(): object | undefined {
    return this.#services
  }

  /** What it has left running is no part of it any more. */
  end(): void {
    this.#services = undefined
  }
}
