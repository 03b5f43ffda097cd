import { callLater, type Clock } from '../effects/clock.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { ProcessInstance, ProcessTask } from './process-instance.ts'

export interface ProcessScheduleOptions {
  /** How many instances are at work at once, at most. */
  readonly concurrency: number
  readonly clock: Clock
  /** One event of an instance. It does not reject. */
  readonly work: (instance: ProcessInstance, task: ProcessTask) => Promise<void>
  /** The instance has nothing to do. */
  readonly rests: (instance: ProcessInstance) => void
  /** Something that waited has been worked on. */
  readonly worked: () => void
}

/** Whose turn it is: instances one after another, each with one event, and so many of them at once. */
export class ProcessSchedule {
  readonly #options: ProcessScheduleOptions
  #isOpen = false
  /** Instances whose turn it is, in order. */
  #ready: ProcessInstance[] = []
  #running = 0
  /** Turns that have begun: those that run, and those in a pause. */
  #begun = 0
  readonly #pauses = new Set<() => void>()
  readonly #onceIdle: (() => void)[] = []

  constructor(options: ProcessScheduleOptions) {
    this.#options = options
  }

  /** Events are begun. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether something failed and waits for its next attempt. */
  get isPausing(): boolean {
    return this.#pauses.size > 0
  }

  open(): void {
    this.#isOpen = true
  }

  /** Nothing is begun any more, nor tried again; what has begun may end. */
  close(): void {
    this.#isOpen = false
    for (const end of [...this.#pauses]) end()
    for (const instance of this.#ready.splice(0)) giveBack(instance)
    this.#tellIdle()
  }

  /** Done when no turn is begun any more, after `close`. */
  idle(): MaybePromise<void> {
    return this.#begun === 0 ? undefined : new Promise<void>((resolve) => void this.#onceIdle.push(resolve))
  }

  enqueue(instance: ProcessInstance, task: ProcessTask): void {
    instance.tasks.push(task)
    if (instance.busy) return
    instance.busy = true
    this.#ready.push(instance)
  }

  /** Lets those have their turn that there is room for. */
  begin(): void {
    while (this.#running < this.#options.concurrency) {
      const instance = this.#ready.shift()
      if (instance === undefined) return
      void this.#turn(instance)
    }
  }

  /** One event of an instance; then it is the turn of the others. */
  async #turn(instance: ProcessInstance): Promise<void> {
    const task = instance.tasks.shift()
    if (task === undefined) {
      this.free(instance)
      return
    }
    this.#running++
    this.#begun++
    await this.#options.work(instance, task)
    this.#running--
    this.#begun--
    this.free(instance)
    this.#options.worked()
    this.#tellIdle()
  }

  /** The instance is through with something: it waits for its next turn, or rests. */
  free(instance: ProcessInstance): void {
    if (this.#isOpen && instance.tasks.length > 0) {
      this.#ready.push(instance)
    } else {
      giveBack(instance)
      instance.busy = false
      instance.usedAt = this.#options.clock.now()
      this.#options.rests(instance)
    }
    if (this.#isOpen) this.begin()
  }

  /** Whoever waits holds nobody up but the instance's own events. False where nothing is begun any more. */
  pause(milliseconds: number): Promise<boolean> {
    if (!this.#isOpen) return Promise.resolve(false)
    this.#running--
    this.begin()
    return new Promise((resolve) => {
      const over = (mayGoOn: boolean) => {
        this.#pauses.delete(end)
        this.#running++
        resolve(mayGoOn)
      }
      const cancel = callLater(this.#options.clock, milliseconds, () => {
        over(true)
      })
      const end = () => {
        cancel()
        over(false)
      }
      this.#pauses.add(end)
    })
  }

  #tellIdle(): void {
    if (this.#isOpen || this.#begun > 0) return
    for (const resolve of this.#onceIdle.splice(0)) resolve()
  }
}

/** What was not begun is not handled; whoever waits for it is told so. */
function giveBack(instance: ProcessInstance): void {
  for (const { replay } of instance.tasks.splice(0)) replay?.resolve(false)
}
