import type { MaybePromise } from '../effects/maybe-promise.ts'
import type { Metadata } from '../messages/recorded-event.ts'

/**
 * Where a stored command stands.
 * - `delayed`: to be run later, by `notBefore` or after a failed attempt
 * - `queued`: due, and waiting for a worker
 * - `running`: taken by a worker, or run by a synchronous caller
 * - `completed`: it took effect (which may be: no events)
 * - `rejected`: the domain refused it; an outcome, not a failure
 * - `dead`: it failed too often, or in a way that no attempt mends: a dead letter
 * - `expired`: its deadline passed before it was run. A command that waits, and that nobody has begun, is expired from its deadline on by the
 *   store's clock, whether anything was written or not
 * - `cancelled`: taken back before it was run
 * - `discarded`: a dead letter that somebody has given up
 */
export type CommandState =
  'delayed' | 'queued' | 'running' | 'completed' | 'rejected' | 'dead' | 'expired' | 'cancelled' | 'discarded'

/** The order in which lanes are served: all of 0 before any of 1. */
export type Lane = 0 | 1 | 2

/** A command as it is to be stored. */
export interface NewQueuedCommand {
  readonly commandId: string
  readonly type: string
  /** As the codec encoded it: text or bytes; a value, in a store that keeps values. */
  readonly data: unknown
  readonly contentType: string
  readonly metadata: Metadata
  readonly correlationId: string
  readonly causationId: string
  readonly tenant: string | undefined
  /** The stream of its aggregate: commands of one stream and lane are run one after another. */
  readonly streamId: string
  readonly lane: Lane
  /**
   * Later commands of its stream and lane wait until this one is done, also while it waits for its next attempt or is a dead letter. (Not
   * while it waits for its own time: nothing was tried yet.) A worker that claimed later ones with it gives them back where it fails.
   */
  readonly strict: boolean
  /** Tells whether another command of the same id, or key, is the same one. */
  readonly fingerprint: string
  /** Unique among all stored commands of its tenant. */
  readonly idempotencyKey: string | undefined
  /** Milliseconds since the epoch, by the store's clock: not to be run before. */
  readonly notBefore: number | undefined
  /** Milliseconds from now, by the store's clock. One of the two at the most. */
  readonly delay: number | undefined
  /** Milliseconds since the epoch, by the store's clock: not to be begun from then on. */
  readonly deadline: number | undefined
  /** How many commands led to it, one after another. */
  readonly depth: number
  /** What else the dispatch is to be given: JSON. */
  readonly options: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch, by the application's clock. */
  readonly createdAt: number
  /** Its caller runs it now: it is stored as `running`, and no worker takes it. Without `notBefore` and `delay`. */
  readonly byCaller: boolean
}

/** What was the matter with an attempt, as it is stored. */
export interface StoredFailure {
  readonly code: string
  readonly message: string
  readonly name: string
  /** JSON: details of a rejection, say. */
  readonly details?: unknown
  readonly stack?: string
}

/**
 * A command as it is stored. One that its caller ran, and that is replayed as a dead letter, is a worker's from then on (`byCaller` is
 * false).
 */
export interface QueuedCommand extends Omit<NewQueuedCommand, 'notBefore' | 'delay'> {
  /** Its place among all stored commands, from 1, in the order in which they were stored. There may be gaps. */
  readonly position: number
  readonly state: CommandState
  /** Milliseconds since the epoch, by the store's clock: since when, or from when on, it may be run. */
  readonly dueAt: number
  /** How often it was tried and did not come to an end: by failing, or because its worker died. */
  readonly attempts: number
  /** Of the last attempt that failed, also where a later one came to an end; of the rejection. */
  readonly failure: StoredFailure | undefined
  /** What came of it, JSON; only of `completed`. */
  readonly result: unknown
  /** When it was first stored, and when its state changed last: by the store's clock. */
  readonly enqueuedAt: number
  readonly changedAt: number
}

/**
 * What became of one command that was to be stored. It is looked for by its id first, and by its key only where there is none of its id.
 * - `enqueued`: it is stored
 * - `known`: this command, by its id or by its key, was stored before; this is it. Nothing is written. Where that one is `cancelled`,
 *   `expired`, `rejected`, `dead` or `discarded`, an attempt that came to nothing, it is stored anew instead, in the place of that one
 *   (`enqueued`)
 * - `duplicate`: another command (of another fingerprint) has this id, or this key
 */
export type EnqueueResult =
  | { readonly status: 'enqueued'; readonly position: number; readonly commandId: string }
  | { readonly status: 'known'; readonly command: QueuedCommand }
  | { readonly status: 'duplicate'; readonly command: QueuedCommand }

/** The right to run commands of one stream and lane, until its lease ends. */
export interface GroupHold {
  readonly streamId: string
  readonly lane: Lane
  /** Rises with every claim of the group. */
  readonly epoch: number
}

/** The commands of one stream and one lane, in the hands of one worker. */
export interface GroupClaim extends GroupHold {
  /** In the order in which they are to be run; at least one. */
  readonly commands: readonly QueuedCommand[]
}

/** Who claims commands, how many, and for how long. */
export interface ClaimCommandsOptions {
  /** Who claims: unique for each worker pool. */
  readonly owner: string
  /** At most so many streams. */
  readonly groups: number
  /** At most so many commands of each. */
  readonly commandsOfEach: number
  /** Milliseconds, by the store's clock. */
  readonly lease: number
}

/** What a claim gave, and when to come again. */
export interface ClaimedCommands {
  readonly claims: readonly GroupClaim[]
  /**
   * Milliseconds until the next command becomes due that is not due yet, or the next lease of another owner runs out; undefined where
   * there is nothing of either. 0 where there was more to be claimed than was asked for.
   */
  readonly nextIn: number | undefined
}

/** How a command that was claimed, or run by its caller, has ended. One that its caller ran is neither `delayed` nor `queued` by that. */
export type Settlement = {
  readonly commandId: string
  /** The claim that it was run under; undefined for one that its caller ran. */
  readonly hold: GroupHold | undefined
} & (
  | { readonly state: 'completed'; readonly result: unknown }
  | {
      readonly state: 'rejected' | 'dead'
      readonly failure: StoredFailure
      /** Whether it counts as one more attempt. */
      readonly failed: boolean
    }
  | { readonly state: 'expired'; readonly failure: StoredFailure }
  /** To be tried again, in so many milliseconds by the store's clock. It counts as one more attempt. */
  | { readonly state: 'delayed'; readonly failure: StoredFailure; readonly delay: number }
  /** Was not begun: it goes back as it was. */
  | { readonly state: 'queued' }
)

/** Which commands are listed. What is not said does not matter. */
export interface ListCommandsOptions {
  readonly states?: readonly CommandState[] | undefined
  readonly types?: readonly string[] | undefined
  readonly streamId?: string | undefined
  readonly tenant?: string | undefined
  readonly correlationId?: string | undefined
  /** Those behind this position. */
  readonly after?: number | undefined
  /** @default 100 */
  readonly limit?: number | undefined
}

/** How many commands are in a state, in a lane. */
export interface CommandCount {
  readonly state: CommandState
  readonly lane: Lane
  readonly count: number
  /** When the oldest of them became due, by the store's clock; undefined for those that are over. */
  readonly oldestDueAt: number | undefined
}

/**
 * Where an event store keeps commands: those that wait for a worker, those that are run, and what became of them. Every write is one
 * transaction; an acknowledged one is as durable as an append. Concurrent writes may share a commit.
 *
 * Commands of one stream and lane are a group, and a group is claimed as a whole: by one owner, under a lease on the store's clock, with
 * an epoch that every settlement is checked against. So a group is run by one worker at a time, and one that died is taken over.
 */
export interface CommandQueueStore {
  /** Each is answered by itself, in the order given. */
  enqueue(commands: readonly NewQueuedCommand[]): MaybePromise<readonly EnqueueResult[]>

  /**
   * Takes groups that have due commands and that nobody holds, or whose lease has run out: the lowest lanes first, and within a lane the
   * one whose next command is the oldest. What becomes `running` of each are the first commands that are due, by position. Of a group whose
   * owner has died the command that was being run (the first that is `running`) counts one more attempt, and is claimed alone: it may have
   * been its end. What is expired is given to nobody; what may have been begun before its deadline is, so that somebody looks what came of
   * it: it has failed, was a dead letter, or was left behind by an owner that died. Behind a strict command that waits for its next
   * attempt, or is dead, nothing is due; what its owner was to run there goes back as it was.
   */
  claim(options: ClaimCommandsOptions): MaybePromise<ClaimedCommands>

  /**
   * Lets the leases of an owner begin anew, and gives the holds of those that it has still. One that ran out, and that nobody has
   * claimed since, holds again.
   */
  renew(owner: string, lease: number): MaybePromise<readonly GroupHold[]>

  /**
   * Ends commands. False for one, and nothing is written of it, where its hold is not the group's last claim any more, or it is not `running`.
   * A group of which nothing is `running` any more is free for the next claim at once. (That its lease has run out alone does not fence a hold.)
   */
  settle(settlements: readonly Settlement[]): MaybePromise<readonly boolean[]>

  /** Those that are there, in no order. */
  read(commandIds: readonly string[]): MaybePromise<readonly QueuedCommand[]>
  /** By position, ascending. */
  list(options?: ListCommandsOptions): MaybePromise<readonly QueuedCommand[]>
  /** Of the states asked for; of all where none are named. What is not there is left out. */
  count(states?: readonly CommandState[]): MaybePromise<readonly CommandCount[]>

  /** Takes back commands that are `delayed` or `queued`. False for one that is not there or not in these states. */
  cancel(commandIds: readonly string[]): MaybePromise<readonly boolean[]>
  /** Queues dead letters again, with no attempts; the group of a strict one goes on with it. False for what is no dead letter. */
  replay(commandIds: readonly string[]): MaybePromise<readonly boolean[]>
  /** Gives dead letters up: they become `discarded`, and the group of a strict one goes on. False for what is no dead letter. */
  discard(commandIds: readonly string[]): MaybePromise<readonly boolean[]>
  /**
   * Forgets commands that are over (`completed`, `rejected`, `expired`, `cancelled`, `discarded`) and have been for so many milliseconds;
   * at most `limit`.
   *
   * @returns how many
   */
  purge(olderThan: number, limit: number): MaybePromise<number>

  /** Milliseconds since the epoch, by the clock that leases and due times go by. */
  now(): MaybePromise<number>

  /** Calls back when commands may have become due or may be over, by whoever. A wake-up: it may come late, twice or not at all. */
  watch(listener: () => void): () => void
}
