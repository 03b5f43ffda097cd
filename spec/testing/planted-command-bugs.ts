import type {
  ClaimedCommands,
  CommandQueueStore,
  NewQueuedCommand,
  QueuedCommand,
  Settlement,
} from '../../lib/event-store/command-queue-store.ts'
import { commandsOf } from '../../lib/event-store/checked-command-queue-store.ts'
import { overlaid, planted, type PlantedBug } from './planted-store.ts'

/** A store whose queue of commands is good but for what is planted over it. */
function plantedQueue(plant: (queue: CommandQueueStore) => Partial<CommandQueueStore>): PlantedBug['makeStore'] {
  return planted(({ store }) => {
    const queue = commandsOf(store)
    return { commands: overlaid(queue, plant(queue)) }
  })
}

/** Stores other commands than it was given. */
const enqueues = (change: (command: NewQueuedCommand) => Partial<NewQueuedCommand>) =>
  plantedQueue((queue) => ({
    enqueue: (commands) => queue.enqueue(commands.map((command) => ({ ...command, ...change(command) }))),
  }))

const settles = (change: (settlement: Settlement) => Settlement) =>
  plantedQueue((queue) => ({ settle: (settlements) => queue.settle(settlements.map(change)) }))

const claims = (change: (claimed: ClaimedCommands) => ClaimedCommands) =>
  plantedQueue((queue) => ({ claim: (options) => change(queue.claim(options) as ClaimedCommands) }))

export const plantedCommandBugs: readonly PlantedBug[] = [
  {
    bug: 'a deadline that nobody looks at before a worker comes',
    makeStore: plantedQueue((queue) => ({
      read: (commandIds) => {
        const commands = queue.read(commandIds) as readonly QueuedCommand[]
        return commands.map((command) => (command.state === 'expired' ? { ...command, state: 'queued' } : command))
      },
    })),
    found: ['expiring commands: shows a command as expired from its deadline on, though nobody has come by'],
  },
  {
    bug: 'a key that is the same for all tenants',
    makeStore: plantedQueue((queue) => {
      const tenants = new Map<string, string | undefined>()
      return {
        enqueue: (commands) =>
          queue.enqueue(
            commands.map((command) => {
              const { idempotencyKey = command.commandId, tenant } = command
              if (!tenants.has(idempotencyKey)) tenants.set(idempotencyKey, tenant)
              return { ...command, tenant: tenants.get(idempotencyKey) }
            }),
          ),
      }
    }),
    found: ['storing commands: knows a command again by its key, which is its tenant’s own'],
  },
  {
    bug: 'a command that is taken for a repeat of any other of its id',
    makeStore: enqueues(() => ({ fingerprint: 'the same' })),
    found: ['storing commands: tells another command of the same id, or the same key, from a repeat'],
  },
  {
    bug: 'a command that came to nothing, and is known for ever',
    makeStore: plantedQueue((queue) => ({
      enqueue: (commands) => {
        const [command] = queue.read([commands[0]?.commandId ?? 'none']) as readonly QueuedCommand[]
        return command?.state === 'dead' ? [{ status: 'known', command }] : queue.enqueue(commands)
      },
    })),
    found: [
      'storing commands: stores a command anew that is dead, in the place of that one',
      'strict commands: let the others go on when they are stored anew, behind them',
    ],
  },
  {
    bug: 'a caller’s command that workers are given',
    makeStore: enqueues(() => ({ byCaller: false })),
    found: [
      'storing commands: keeps what its caller runs',
      'claiming commands: leaves to its caller what that runs',
      'settling commands: ends what its caller ran in any way',
    ],
  },
  {
    bug: 'lanes that make no difference',
    makeStore: enqueues(() => ({ lane: 1 })),
    found: [
      'claiming commands: serves all of a lower lane first, and in a lane what waits longest',
      'claiming commands: holds the lanes of a stream apart',
    ],
  },
  {
    bug: 'a lease of commands that never runs out',
    makeStore: plantedQueue((queue) => ({ claim: (options) => queue.claim({ ...options, lease: 60_000 }) })),
    found: [
      'claiming commands: takes over in the order of lanes and of what waits longest',
      'strict commands: are claimed alone when their worker has died',
    ],
  },
  {
    bug: 'a lease of commands that is not renewed',
    makeStore: plantedQueue((queue) => ({ renew: (owner) => queue.renew(owner, 1) })),
    found: ['claiming commands: renews the leases of an owner, and says what that one holds still'],
  },
  {
    bug: 'a claim that does not say when the next one makes sense',
    makeStore: claims((claimed) => ({ ...claimed, nextIn: undefined })),
    found: [
      'claiming commands: says when the next command becomes due, or the lease of another runs out',
      'claiming commands: gives at most so many streams, and says where there is more at once',
    ],
  },
  {
    bug: 'a claim that gives streams in no order',
    makeStore: claims(({ claims: given, nextIn }) => ({ claims: [...given].reverse(), nextIn })),
    found: ['claiming commands: goes by what waits longest now, not by what was first once'],
  },
  {
    bug: 'commands that do not wait for their time',
    makeStore: enqueues(() => ({ delay: undefined, notBefore: undefined })),
    found: [
      'claiming commands: gives a command when its time has come, by its place among the others',
      'claiming commands: gives nobody a command before its time',
    ],
  },
  {
    bug: 'a stale hold that still ends commands',
    makeStore: plantedQueue((queue) => {
      const latest = new Map<string, number>()
      return {
        claim: (options) => {
          const claimed = queue.claim(options) as ClaimedCommands
          for (const { streamId, lane, epoch } of claimed.claims) latest.set(`${lane}${streamId}`, epoch)
          return claimed
        },
        settle: (settlements) =>
          queue.settle(
            settlements.map((settlement) => {
              const { hold } = settlement
              const epoch = hold && (latest.get(`${hold.lane}${hold.streamId}`) ?? hold.epoch)
              return { ...settlement, hold: hold && { ...hold, epoch: epoch ?? hold.epoch } }
            }),
          ),
      }
    }),
    found: ['claiming commands: refuses what comes from the one who was before, and goes on'],
  },
  {
    bug: 'failures that do not count',
    makeStore: settles((settlement) => ('failed' in settlement ? { ...settlement, failed: false } : settlement)),
    found: ['settling commands: keeps a failure as it is, and counts it where it counts'],
  },
  {
    bug: 'a settlement that is always said to be good',
    makeStore: plantedQueue((queue) => ({
      settle: (settlements) => {
        void queue.settle(settlements)
        return settlements.map(() => true)
      },
    })),
    found: [
      'settling commands: answers each of a call by itself, in the order given',
      'settling commands: ends a command once, however many try',
    ],
  },
  {
    bug: 'a retry that is due at once',
    makeStore: settles((settlement) => (settlement.state === 'delayed' ? { ...settlement, delay: 0 } : settlement)),
    found: [
      'settling commands: does not make others wait for a command that is tried again',
      'settling commands: tries a command again after its delay, which counts, and lets others by',
    ],
  },
  {
    bug: 'strict commands that are as any other',
    makeStore: enqueues(() => ({ strict: false })),
    found: [
      'strict commands: let nothing of their stream and lane by meanwhile, and all others',
      'strict commands: make those behind them wait while they are dead letters',
      'strict commands: make none of those before them wait',
    ],
  },
  {
    bug: 'a cancellation that is always said to be good',
    makeStore: plantedQueue((queue) => ({
      cancel: (commandIds) => {
        void queue.cancel(commandIds)
        return commandIds.map(() => true)
      },
    })),
    found: [
      'keeping commands: takes back what has not begun, once, and nothing else',
      'keeping commands: either takes a command back or gives it to a worker',
    ],
  },
  {
    bug: 'a discard that queues again',
    makeStore: plantedQueue((queue) => ({ discard: (commandIds) => queue.replay(commandIds) })),
    found: ['keeping commands: gives up dead letters, and nothing else'],
  },
  {
    bug: 'a list of commands that knows no pages',
    makeStore: plantedQueue((queue) => ({ list: (options) => queue.list({ ...options, limit: 1_000 }) })),
    found: [
      'keeping commands: lists a hundred where nothing else is asked for',
      'keeping commands: lists by state, type, stream, tenant and correlation, from a place on',
    ],
  },
  {
    bug: 'a purge of whatever is over',
    makeStore: plantedQueue((queue) => ({ purge: (_, limit) => queue.purge(0, limit) })),
    found: ['keeping commands: forgets what is over, and has been for so long'],
  },
  {
    bug: 'a queue that tells nobody',
    makeStore: plantedQueue(() => ({ watch: () => () => undefined })),
    found: ['keeping commands: tells those that watch what may be due or over'],
  },
]
