import type { Checkpoint, CheckpointState } from '../../lib/event-store/checkpoint.ts'
import { planted, type PlantedBug } from './planted-store.ts'

export const plantedLeaseBugs: readonly PlantedBug[] = [
  {
    bug: 'a lease that never runs out',
    makeStore: planted(({ store }) => ({
      claimCheckpoint: (name, options) => store.claimCheckpoint(name, { ...options, lease: 60_000 }),
    })),
    found: ['leases: are not renewed by a save'],
  },
  {
    bug: 'a lease that has run out as it begins',
    makeStore: planted(({ store }) => ({
      claimCheckpoint: (name, options) => {
        const claim = store.claimCheckpoint(name, { ...options, lease: 1 })
        const until = performance.now() + 2
        while (performance.now() < until) continue
        return claim
      },
    })),
    found: ['leases: hold a checkpoint against other owners', 'leases: begin anew when their owner claims again'],
  },
  {
    bug: 'a renewal that ignores the epoch',
    makeStore: planted(({ store }) => ({
      renewCheckpoints: (holds) =>
        store.renewCheckpoints(
          holds.map(({ name, epoch }) => {
            const latest = store.readCheckpoint(name) as Checkpoint | undefined
            return { name, epoch: latest?.epoch ?? epoch }
          }),
        ),
    })),
    found: [
      'leases: fence the owner before, once another one has taken over',
      'leases: are renewed many at once, each answered by itself and in the order given',
    ],
  },
  {
    bug: 'a renewal that says yes, and renews nothing',
    makeStore: planted(() => ({ renewCheckpoints: (holds) => holds.map(() => true) })),
    found: ['leases: last as long as they are renewed'],
  },
  {
    bug: 'a save that renews the lease',
    makeStore: planted(({ store }) => ({
      saveCheckpoint: (checkpoint) => {
        void store.renewCheckpoints([checkpoint])
        return store.saveCheckpoint(checkpoint)
      },
    })),
    found: ['leases: are not renewed by a save'],
  },
  {
    bug: 'a lease that fences its owner as it runs out',
    makeStore: planted(({ store }) => ({
      saveCheckpoint: (checkpoint) => {
        const states = store.listCheckpoints(checkpoint.name) as readonly CheckpointState[]
        const held = states.some(({ name, owner }) => name === checkpoint.name && owner !== undefined)
        return held && store.saveCheckpoint(checkpoint)
      },
    })),
    found: ['leases: fence nobody by running out alone'],
  },
  {
    bug: 'a list that names those whose lease has run out',
    makeStore: planted(({ store }) => {
      const owners = new Map<string, string>()
      return {
        claimCheckpoint: (name, options) => {
          owners.set(name, options.owner)
          return store.claimCheckpoint(name, options)
        },
        listCheckpoints: (prefix) =>
          (store.listCheckpoints(prefix) as readonly CheckpointState[]).map((state) => ({
            ...state,
            owner: state.owner ?? owners.get(state.name),
          })),
      }
    }),
    found: ['leases: are over when they are released, however long they are'],
  },
  {
    bug: 'a prefix in which letters are alike',
    makeStore: planted(({ store }) => ({
      listCheckpoints: (prefix = '') =>
        (store.listCheckpoints() as readonly CheckpointState[]).filter(({ name }) =>
          name.toLowerCase().startsWith(prefix.toLowerCase()),
        ),
    })),
    found: ['leases: are listed by how the names begin, to the letter'],
  },
  {
    bug: 'an owner that can be there twice',
    makeStore: planted(({ store }) => ({
      claimCheckpoint: (name, options) =>
        store.claimCheckpoint(name, { ...options, owner: options.owner.replace(/\d$/, '') }),
    })),
    found: ['random work: lets one of many owners at a time write a checkpoint, by the numbers of 8'],
  },
]
