import type { Clock } from '../effects/clock.ts'
import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { CheckpointHold } from '../event-store/checkpoint.ts'
import type { ReachedPlace } from '../event-store/reached-place.ts'
import { forAnotherReader } from '../event-store/recorded-event.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import { EventsInHand } from './events-in-hand.ts'
import { ProcessEndings } from './process-endings.ts'
import type { ProcessInstance, ProcessTask } from './process-instance.ts'
import { ProcessInstances } from './process-instances.ts'
import { routeOf, type ProcessRoute } from './process-interest.ts'
import type { ProcessManagerModel } from './process-manager-model.ts'
import { checkInstanceId, processParkingKey } from './process-name.ts'
import type { ProcessRecords } from './process-records.ts'
import { ProcessSchedule } from './process-schedule.ts'
import type { ProcessServices } from './process-services.ts'
import { ProcessSweep } from './process-sweep.ts'
import { ProcessTurn } from './process-turn.ts'

/**
 * So far a slow instance lets the others run ahead, and so many events may wait for their instances; after a crash they come again,
 * and those that were handled are passed over.
 */
const MOST_AHEAD = 10_000

export interface ProcessDeliveryOptions {
  readonly model: ProcessManagerModel
  readonly clock: Clock
  readonly records: ProcessRecords
  /** The claim of the process manager; undefined where it is lost. */
  readonly hold: () => CheckpointHold | undefined
  readonly lost: () => void
  /** The place before what is in hand has moved on. */
  readonly progressed: () => void
  /** What becomes of an event that was routed wrongly: true where it is skipped. */
  readonly misrouted: (error: unknown, recorded: RecordedEvent) => Promise<boolean>
  /** The process manager stops before this event. */
  readonly failed: (error: unknown, recorded: RecordedEvent) => void
  readonly log: (error: unknown, what: string) => void
}

/** Gives events to the instances that they concern: those of different instances side by side, those of one in order. */
export class ProcessDelivery {
  readonly #options: ProcessDeliveryOptions
  readonly #inHand = new EventsInHand()
  readonly #instances: ProcessInstances
  readonly #endings: ProcessEndings
  readonly #schedule: ProcessSchedule
  readonly #sweep: ProcessSweep
  /** How often the event in hand of an instance has failed. */
  readonly #troubled = new Map<ProcessInstance, number>()
  #services: ProcessServices | undefined
  /** Called when there is room for another event. */
  #room: ((taken: boolean) => void) | undefined

  constructor(options: ProcessDeliveryOptions) {
    const { model, clock, records, hold, lost, log } = options
    this.#options = options
    this.#instances = new ProcessInstances(model.cachedInstances, model.name)
    this.#sweep = new ProcessSweep(this.#instances, clock, model.idleTimeout)
    this.#schedule = new ProcessSchedule({
      concurrency: model.concurrency,
      clock,
      work: (instance, task) => this.#work(instance, task),
      rests: () => {
        this.#instances.trim()
        if (this.#schedule.isOpen) this.#sweep.later()
      },
      worked: () => {
        if (this.#hasRoom) this.#giveRoom()
      },
    })
    this.#endings = new ProcessEndings({
      records,
      hold,
      lost,
      deleted: (instance) => {
        this.#instances.forget(instance)
      },
      free: (instance) => {
        this.#schedule.free(instance)
      },
      failed: (error, instance) => {
        log(error, `cannot delete what is kept of ${instance.id}, and tries again`)
      },
    })
  }

  get isOpen(): boolean {
    return this.#schedule.isOpen
  }

  get isRetrying(): boolean {
    return this.#schedule.isPausing
  }

  /** How often that event in hand has failed which failed most often. */
  get failures(): number {
    return Math.max(0, ...this.#troubled.values())
  }

  /** How many instances are in memory. */
  get liveInstances(): number {
    return this.#instances.size
  }

  /** The place before what is in hand. */
  get heldBack(): ReachedPlace | undefined {
    return this.#inHand.place
  }

  /** What another owner did meanwhile is in the store, and nowhere else. */
  forget(): void {
    this.#inHand.clear()
    this.#instances.clear()
    this.#endings.clear()
  }

  open(services: ProcessServices): void {
    this.#services = services
    this.#schedule.open()
  }

  /** Nothing is begun any more, nor tried again; what has begun may end. */
  close(): void {
    this.#giveRoom()
    this.#schedule.close()
    this.#sweep.stop()
  }

  /** Done when all that had begun has ended, after `close`. */
  idle(): MaybePromise<void> {
    return this.#schedule.idle()
  }

  /** The store knows that all events up to there are handled. */
  written(reached: ReachedPlace): MaybePromise<void> {
    return this.#endings.deleteUpTo(reached.position)
  }

  /** The instance is over as of a position. */
  isOver(instance: ProcessInstance, position: number): void {
    this.#endings.add(instance, position)
  }

  /** The instance goes on, whatever was said before. */
  goesOn(instance: ProcessInstance): void {
    this.#endings.remove(instance)
  }

  troubled(instance: ProcessInstance, failures: number): void {
    this.#troubled.set(instance, failures)
  }

  pause(milliseconds: number): Promise<boolean> {
    return this.#schedule.pause(milliseconds)
  }

  readonly deliver = (read: RecordedEvent): MaybePromise<boolean> => {
    if (!this.#schedule.isOpen) return false
    let route: ProcessRoute
    try {
      route = this.#routeOf(read)
    } catch (error) {
      return this.#options.misrouted(error, read)
    }
    const { ids } = route
    if (ids.length === 0) return true
    const task = { recorded: read, route, held: this.#inHand.take(read, ids.length) }
    for (const id of ids) this.#enqueue(id, task)
    this.#schedule.begin()
    return this.#hasRoom ? true : new Promise((resolve) => void (this.#room = resolve))
  }

  /** In its turn, as any event of the instance; those that are parked behind it wait for it. */
  replay(recorded: RecordedEvent, key: string): Promise<boolean> {
    const route = this.#routeOf(recorded)
    // `interested` has changed its mind since: then there is nothing to handle.
    const instanceId = route.ids.find((id) => processParkingKey(id, recorded.tenant) === key)
    if (instanceId === undefined) return Promise.resolve(true)
    return new Promise((resolve, reject) => {
      if (!this.#schedule.isOpen) {
        resolve(false)
        return
      }
      this.#enqueue(instanceId, { recorded, route, held: undefined, replay: { resolve, reject } })
      this.#schedule.begin()
    })
  }

  /** @throws what `interested` throws, and what is wrong with what it gives */
  #routeOf(read: RecordedEvent): ProcessRoute {
    const { name, interestedByType } = this.#options.model
    const recorded = forAnotherReader(read)
    const interested = interestedByType.get(read.type)
    const route = routeOf(`${name}'s interested of ${read.type}`, interested?.(recorded.data, recorded))
    for (const id of route.ids) checkInstanceId(name, id, read.tenant)
    return route
  }

  #enqueue(id: string, task: ProcessTask): void {
    this.#schedule.enqueue(this.#instances.obtain(id, task.recorded.tenant), task)
  }

  async #work(instance: ProcessInstance, task: ProcessTask): Promise<void> {
    const { held, recorded, replay } = task
    try {
      const handled = this.#services !== undefined && (await new ProcessTurn(this.#services, instance, task).run())
      replay?.resolve(handled)
      if (handled && held !== undefined && this.#inHand.handled(held)) this.#options.progressed()
    } catch (error) {
      // What is contained nowhere else is a fault of this house: it is not passed over.
      if (replay === undefined) this.#options.failed(error, recorded)
      else replay.reject(error)
    }
    if (this.#troubled.size > 0) this.#troubled.delete(instance)
  }

  get #hasRoom(): boolean {
    return this.#inHand.size < MOST_AHEAD
  }

  #giveRoom(): void {
    const room = this.#room
    this.#room = undefined
    // It is in hand; where the process manager stops, its place is that of what is.
    room?.(true)
  }
}
