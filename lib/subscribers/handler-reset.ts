import { pause } from '../effects/clock.ts'
import { InvalidOptionError, SubscriptionOwnedError } from '../errors.ts'
import { checkOptions } from '../event-store/argument-checks.ts'
import type { CheckpointClaim } from '../event-store/checkpoint.ts'
import type { Lease } from '../event-store/lease-keeper.ts'
import type { SharedCheckpoints } from '../event-store/shared-checkpoints.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import type { HandlerModel } from './handler-model.ts'
import type { RunnerOptions } from './runner-options.ts'
import type { ParkedStream } from './parked-stream.ts'
import { handlerCheckpoints, partitionCheckpoint } from './partition-names.ts'
import { isWhole } from '../messages/whole-number.ts'

export interface HandlerResetOptions extends Pick<RunnerOptions, 'store' | 'owner' | 'clock' | 'application'> {
  readonly model: HandlerModel
  readonly stream: ParkedStream
  readonly shared: SharedCheckpoints
}

/**
 * Sets the places of a handler back, whoever has them: they are taken away first, and given free in the end. In between nobody handles
 * the handler's events. The handler of this node is to be stopped before.
 */
export class HandlerReset {
  readonly #options: HandlerResetOptions
  readonly #held: { readonly claim: CheckpointClaim; readonly lease: Lease }[] = []

  constructor(options: HandlerResetOptions) {
    this.#options = options
  }

  async run(given: { readonly startFrom?: StartFrom } = {}): Promise<void> {
    checkOptions('reset', given, ['startFrom'])
    const { model, application, store, stream } = this.#options
    const after = await this.#startAfter(given.startFrom ?? model.startFrom)
    if (given.startFrom !== undefined) await this.#refuseBeyond(after)
    try {
      if (await this.#take(after)) await this.#othersStopped()
      await model.beforeReset?.({ handlerName: model.name, application })
      for (const { claim } of this.#held) {
        const { name, epoch } = claim
        const isOurs = await store.saveCheckpoint({ name, epoch, position: after, index: 0 })
        if (!isOurs) throw new SubscriptionOwnedError(name)
      }
      // Last: were it lost with the process, what is parked would stay so, and nothing would be forgotten.
      await stream.catchUp()
      // Also where nothing is parked any more: what was discarded is to be handled too.
      await stream.append(() =>
        stream.version === 0 ? undefined : { facts: [{ fact: 'edict.HandlerReset', after }], about: undefined },
      )
    } finally {
      await this.#release()
    }
  }

  async #startAfter(startFrom: unknown): Promise<number> {
    if (startFrom === 'origin') return 0
    if (startFrom === 'current') return this.#options.store.headPosition()
    if (isWhole(startFrom, 1)) return startFrom - 1
    throw new InvalidOptionError(`reset: startFrom must be 'origin', 'current' or a position, a whole number from 1`)
  }

  /** From a place that nobody has come to yet on, it would pass over all events until then. */
  async #refuseBeyond(after: number): Promise<void> {
    const head = await this.#options.store.headPosition()
    if (after <= head) return
    throw new InvalidOptionError(
      `reset: startFrom is ${after + 1}, but the store's last event is at ${head}: 'current' begins with what comes next`,
    )
  }

  /** Whether another node had one of them. */
  async #take(startAfter: number): Promise<boolean> {
    const { store, owner, model, shared } = this.#options
    const { leases } = shared
    const { layouts } = handlerCheckpoints(model.name, await store.listCheckpoints(model.name))
    const states = [...layouts.values()].flatMap((rows) => [...rows.values()])
    const names = states.length > 0 ? states.map(({ name }) => name) : checkpointNames(model)
    for (const name of names) {
      const askedAt = leases.time.moment()
      const claim = await store.claimCheckpoint(name, { owner, startAfter, lease: leases.lease, force: true })
      if (claim === undefined) throw new SubscriptionOwnedError(name)
      this.#held.push({ claim, lease: leases.keep(claim, askedAt, () => undefined) })
    }
    return states.some((state) => state.owner !== undefined && state.owner !== owner)
  }

  /** A node that is told of it last is told by the end of its lease. */
  #othersStopped(): Promise<void> {
    const { clock, shared } = this.#options
    return pause(clock, shared.leases.lease)
  }

  async #release(): Promise<void> {
    for (const { claim, lease } of this.#held) {
      lease.end()
      await this.#options.store.releaseCheckpoint(claim.name, claim.epoch)
    }
  }
}

function checkpointNames({ name, concurrency }: HandlerModel): readonly string[] {
  return Array.from({ length: concurrency }, (_, index) => partitionCheckpoint(name, index, concurrency))
}
