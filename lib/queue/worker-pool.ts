import { idleTimer } from '../effects/clock.ts'
import { waitAtMost } from '../effects/wait-at-most.ts'
import type { CommandQueueStore, GroupClaim, QueuedCommand } from '../event-store/command-queue-store.ts'
import { PassingTime } from '../event-store/passing-time.ts'
import type { Attempted } from './command-run.ts'
import { GroupRun, type GroupRunServices } from './group-run.ts'
import { BACK_FILL } from './lanes.ts'
import type { QueueServices } from './queue-services.ts'
import type { Settler } from './settler.ts'

export interface WorkerPoolOptions extends QueueServices {
  /** How many aggregates at once. */
  readonly workers: number
  readonly settler: Settler
  attempt(command: QueuedCommand, signal: AbortSignal): Promise<Attempted>
  settle(claim: GroupClaim, command: QueuedCommand, attempted: Attempted): Promise<boolean>
}

/** So many commands of one aggregate are taken at a time. */
const COMMANDS_OF_EACH = 16
/** So many renewals are begun within one lease. */
const RENEWALS_IN_A_LEASE = 4
/** An aggregate that has had a worker for so long makes room for others, where they wait. Milliseconds. */
const SLICE_MS = 250
/** As before, for a back-fill: whether what waits is live is not known before it is claimed. */
const BACK_FILL_SLICE_MS = 20

/** Takes due commands from the store, aggregate by aggregate, and has them run; rests until there are some. */
export class WorkerPool implements GroupRunServices {
  readonly #options: WorkerPoolOptions
  readonly #commands: CommandQueueStore
  /** None before the first claim: whoever runs no queued commands takes no id. */
  #owner: string | undefined
  readonly #time: PassingTime
  readonly #groups = new Set<GroupRun>()
  #working: Promise<void> | undefined
  #stopping = false
  /** Something may be there to be claimed. */
  #due = false
  /** Something came while all workers were at work. */
  #pressed = false
  #wait: number
  #wakeUp: (() => void) | undefined
  #cancelRenewal: (() => void) | undefined
  #failing = false
  /** There are commands whose next end would be their last one, and which may do no harm to anybody. */
  #careful = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#commands = options.commands
    this.#time = new PassingTime(options.dispatching.clock)
    this.#wait = options.policy.pollInterval
  }

  start(): void {
    this.#stopping = false
    this.#due = true
    this.#working ??= this.#work()
  }

  /** Commands may have become due. */
  wake(): void {
    if (this.#groups.size >= this.#options.workers) this.#pressed = true
    this.#due = true
    this.#wakeUp?.()
  }

  /** Claims nothing more, lets what runs end, and gives back the rest; but does not wait longer than so many milliseconds. */
  async stop(patience: number): Promise<void> {
    if (this.#working === undefined) return
    this.#stopping = true
    for (const group of this.#groups) group.stop()
    this.#wakeUp?.()
    const { clock } = this.#options.dispatching
    if (!(await waitAtMost(clock, patience, this.#working))) {
      this.#options.settler.giveUp()
      for (const group of this.#groups) group.lose()
      this.#groups.clear()
    }
    this.#working = undefined
    this.#keepLeases()
  }

  /** Runs what is due until there is nothing more; how many commands that were. Not for a pool that was started. */
  async drain(): Promise<number> {
    this.#stopping = false
    let ran = 0
    for (;;) {
      const claims = await this.#claim(this.#options.workers, true)
      if (claims.length === 0) return ran
      ran += claims.reduce((sum, { commands }) => sum + commands.length, 0)
      await this.#idle()
    }
  }

  isToYield({ claim, beganAt }: GroupRun): boolean {
    if (!this.#pressed || this.#groups.size < this.#options.workers) return false
    return this.#time.since(beganAt) >= (claim.lane === BACK_FILL ? BACK_FILL_SLICE_MS : SLICE_MS)
  }

  isDoubtful(since: Parameters<GroupRunServices['isDoubtful']>[0]): boolean {
    return this.#time.since(since) >= this.#options.policy.lease
  }

  attempt(command: QueuedCommand, signal: AbortSignal): Promise<Attempted> {
    return this.#options.attempt(command, signal)
  }

  settle(claim: GroupClaim, command: QueuedCommand, attempted: Attempted): Promise<boolean> {
    return this.#options.settle(claim, command, attempted)
  }

  async giveBack({ streamId, lane, epoch }: GroupClaim, commands: readonly QueuedCommand[]): Promise<void> {
    const hold = { streamId, lane, epoch }
    const { settler } = this.#options
    await Promise.all(commands.map(({ commandId }) => settler.settle({ commandId, hold, state: 'queued' })))
  }

  /** One loop, in its own scope: whoever wakes it is not the one in whose name commands are run. */
  async #work(): Promise<void> {
    while (!this.#stopping) {
      const free = this.#options.workers - this.#groups.size
      if (free > 0 && this.#due) await this.#look(free)
      else await this.#rest(free > 0)
    }
    await this.#idle()
  }

  async #look(free: number): Promise<void> {
    this.#due = false
    try {
      if (this.#careful) await this.#claimAlone()
      else await this.#claim(free, false)
      this.#failing = false
    } catch (err) {
      // Its answer may be what was lost.
      this.#disown()
      this.#wait = this.#options.policy.pollInterval
      if (!this.#failing) {
        this.#options.dispatching.logger.warn({ err }, 'queued commands cannot be claimed; it is tried again')
      }
      this.#failing = true
    }
  }

  /**
   * Of all that ran in a process that died, nobody knows which command was its end: each counts an attempt. So the last one of such a
   * command is made by itself, lest it is given up for what another one did. Where what else runs takes long, it is not waited for.
   */
  async #claimAlone(): Promise<void> {
    await this.#company()
    if (this.#stopping) return
    const claims = await this.#claim(1, true)
    this.#due = true
    this.#careful = claims.some((claim) => this.#isSuspect(claim))
    if (claims.length > 0) await this.#company()
  }

  /** Until nothing runs here any more, but not for long. */
  async #company(): Promise<void> {
    const since = this.#time.moment()
    const { lease, pollInterval } = this.#options.policy
    this.#wait = pollInterval
    while (this.#groups.size > 0 && !this.#stopping && this.#time.since(since) < lease) await this.#rest(true)
  }

  #isSuspect({ commands }: GroupClaim): boolean {
    const last = this.#options.policy.maxAttempts - 1
    // One that failed by itself is known for what it is.
    return commands.some(({ attempts, failure }) => attempts > 0 && attempts === last && failure === undefined)
  }

  async #claim(groups: number, alone: boolean): Promise<readonly GroupClaim[]> {
    const { policy } = this.#options
    const claimedAt = this.#time.moment()
    const owner = (this.#owner ??= this.#options.dispatching.ids.next())
    const options = { owner, groups, commandsOfEach: COMMANDS_OF_EACH, lease: policy.lease }
    const { claims, nextIn } = await this.#commands.claim(options)
    this.#wait = Math.min(nextIn ?? Infinity, policy.pollInterval)
    if (nextIn === 0) this.#due = true
    this.#pressed = nextIn === 0
    const suspects = alone ? [] : claims.filter((claim) => this.#isSuspect(claim))
    for (const claim of claims) {
      if (!suspects.includes(claim)) void this.#run(new GroupRun(this, claim, owner, claimedAt))
    }
    if (suspects.length > 0) {
      this.#careful = true
      this.#due = true
      await Promise.all(suspects.map((claim) => this.giveBack(claim, claim.commands)))
    }
    return claims
  }

  /**
   * Something of this owner is held that nobody here runs. As the leases of an owner are renewed together, it would be held for as long
   * as there is other work: so that work goes on under another name, and others take over what is left of this one.
   */
  #disown(): void {
    this.#owner = undefined
  }

  async #run(group: GroupRun): Promise<void> {
    this.#groups.add(group)
    this.#keepLeases()
    if (this.#stopping) group.stop()
    try {
      await group.run()
      if (group.isLost) this.#disown()
    } catch (err) {
      this.#disown()
      const { streamId } = group.claim
      const { logger } = this.#options.dispatching
      logger.error({ err, streamId }, 'the outcomes of queued commands could not be stored; they will be taken over')
    } finally {
      this.#groups.delete(group)
      this.#keepLeases()
      this.#due = true
      this.#wakeUp?.()
    }
  }

  /** Until something may be due, or a worker is free. */
  #rest(timed: boolean): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#options.dispatching
      const wait = Math.max(1, Math.ceil(this.#wait))
      const cancelTimer = timed
        ? idleTimer(clock, wait, () => {
            this.#due = true
            this.#wakeUp?.()
          })
        : undefined
      this.#wakeUp = () => {
        this.#wakeUp = undefined
        cancelTimer?.()
        resolve()
      }
    })
  }

  async #idle(): Promise<void> {
    while (this.#groups.size > 0) await this.#rest(false)
  }

  #keepLeases(): void {
    const { policy, dispatching } = this.#options
    if (this.#groups.size === 0) {
      this.#cancelRenewal?.()
      this.#cancelRenewal = undefined
      return
    }
    this.#cancelRenewal ??= idleTimer(dispatching.clock, policy.lease / RENEWALS_IN_A_LEASE, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const groups = [...this.#groups]
    const at = this.#time.moment()
    const { policy, dispatching } = this.#options
    try {
      const owners = new Set(groups.map(({ owner }) => owner))
      const renewed = await Promise.all([...owners].map(async (owner) => this.#commands.renew(owner, policy.lease)))
      const held = new Set(renewed.flat().map(({ streamId, lane, epoch }) => JSON.stringify([streamId, lane, epoch])))
      for (const group of groups) {
        const { streamId, lane, epoch } = group.claim
        if (held.has(JSON.stringify([streamId, lane, epoch]))) group.renewed(at)
        // Its last outcomes may be on their way: then it holds nothing any more because it has ended, and loses nothing.
        else group.lose()
      }
    } catch (err) {
      dispatching.logger.warn({ err }, 'the leases of queued commands cannot be renewed; it is tried again')
    }
    this.#cancelRenewal = undefined
    this.#keepLeases()
  }
}
