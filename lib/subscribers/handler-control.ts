import type { StartFrom } from '../event-store/start-from.ts'
import type { RecordedEvent } from '../messages/recorded-event.ts'
import type { KeptError } from './parked-facts.ts'

/** `starting`: it has not got its checkpoint yet. `retrying`: an event failed and waits for its next attempt. */
export type HandlerState = 'starting' | 'catching-up' | 'live' | 'retrying' | 'stopped' | 'failed'

/** How a handler or a process manager does, as this node sees it. */
export interface HandlerStatus {
  readonly name: string
  /**
   * `starting`: it has not got its place, which another node may have. `retrying`: an event failed and waits for its next attempt.
   * `failed`: it has stopped at an event, until it is started again.
   */
  readonly state: HandlerState
  /** Every event up to here is handled, or does not interest it; with `concurrency`, by all partitions. 0 where another node knows. */
  readonly position: number
  /** How many positions of the store come after that, whosever events they are. To watch a handler, take `lagEvents` of `metrics()`. */
  readonly lag: number
  /** What it failed with last on this node; undefined where it never did. */
  readonly lastError: unknown
  /** How often the event in hand has failed; of a process manager, that which failed most often. */
  readonly failures: number
  /** How many events are parked, by whichever node. */
  readonly parked: number
  /** With `concurrency`: the partitions that this node works with. */
  readonly partitions: readonly number[] | undefined
  /** Of a process manager: how many instances this node has in memory. */
  readonly liveInstances: number | undefined
}

/** An event that was set aside. */
export interface ParkedEvent {
  /**
   * What its order was kept in: the stream's id, or what `partitionBy` gave; of a process manager, the id of the instance, and for a
   * tenant `TENANT/ID`.
   */
  readonly key: string
  readonly position: number
  readonly streamId: string
  readonly streamVersion: number
  readonly type: string
  /** As it is read today; undefined where it was erased, or cannot be read. */
  readonly event: RecordedEvent | undefined
  /** How often it was tried; 0 where it is here only because it came behind another one. */
  readonly attempts: number
  /** What it failed with last. */
  readonly error: KeptError | undefined
  readonly parkedAt: Date
}

/** Which parked events: all, those of a key, or one. */
export type ParkedSelection = 'all' | { readonly key: string } | { readonly position: number }

/** What became of the events that were to be replayed; what was discarded meanwhile counts nowhere. */
export interface ReplayOutcome {
  /** Handled now, and parked no more. */
  readonly replayed: number
  /** Failed again, and parked as before. */
  readonly failed: number
  /** Parked as before: behind one that failed again, or the handler has not come to them in time, and still will. */
  readonly waiting: number
}

/** A handler in the hands of code: what it does, and what it is to do. Got by `application.handler(…)`. */
export interface HandlerControl {
  readonly name: string
  /** How it does on this node; what is parked is counted for all of them. */
  status(): Promise<HandlerStatus>
  /** Starts it on this node, where it has stopped or failed. */
  start(): Promise<void>
  /** Stops it on this node after the event in hand; another node may take it over. */
  stop(): Promise<void>
  /**
   * Lets the handler begin anew, on whichever node it runs: calls `beforeReset` while nobody handles its events, sets its place back, and
   * forgets what is parked from there on, since that comes again. Where another node runs the handler, that takes the time of a lease.
   *
   * @param options what else is said of it
   * @param options.startFrom where it begins; where it is left out, that of its definition
   * @throws {InvalidOptionError} `invalid_option`, also of a process manager, or of a position beyond the next event; SubscriptionOwnedError `subscription_owned` where somebody else resets it too
   */
  reset(options?: { readonly startFrom?: StartFrom }): Promise<void>
  /**
   * What is parked, in the order of positions.
   *
   * @param options what else is said of it
   * @param options.limit so many, 100 unless said; a few more where the last position has several, so that none is lost between pages
   * @param options.after only what is after this position
   * @throws {InvalidOptionError} `invalid_option`
   */
  parked(options?: { readonly limit?: number; readonly after?: number }): Promise<readonly ParkedEvent[]>
  /**
   * Has parked events handled again, by whichever node runs the handler: those of a key in order, until one fails or none is left.
   * Each is tried once, and `onError` is not asked. What comes for such a key meanwhile waits its turn behind them. What was never tried,
   * since it only came behind what is replayed now, goes on in its turn too.
   *
   * @param selection a single event has to be the first of its key
   * @param options what else is said of it
   * @param options.timeout milliseconds that this waits for what becomes of them, 5,000 unless said; the request stands beyond that
   * @throws {InvalidOptionError} `invalid_option` where nothing such is parked, or it is not the first of its key
   */
  replay(selection?: ParkedSelection, options?: { readonly timeout?: number }): Promise<ReplayOutcome>
  /**
   * Gives parked events up: they count as handled.
   *
   * @example
   * await bank.handler('account-balances').discard({ key: 'account-ACC123' })
   *
   * @returns how many they were
   * @throws {InvalidOptionError} `invalid_option` where that is no selection
   */
  discard(selection: ParkedSelection): Promise<number>
}

/**
 * A process manager in the hands of code. It cannot be reset: its instances keep which events they have handled, and what its commands
 * did stands.
 */
export type ProcessManagerControl = Omit<HandlerControl, 'reset'>
