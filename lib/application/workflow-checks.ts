import type { BatchLimits } from '../batches/batch-type.ts'
import { workflowBodyOf, type WorkflowBody } from '../batches/workflow-body.ts'
import { DefinitionError } from '../errors.ts'
import { mustAppendAtomically } from '../event-store/atomic-streams.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { atLeastOne, checkedKeys } from './definition-checks.ts'

const DEFAULT_LIMITS: Required<BatchLimits> = { maxDepth: 100, maxCommands: 10_000 }

/**
 * @param name of the application
 * @param given the workflows of its definition
 * @param store its store
 * @param names those of its handlers, beside which workflows in the background have their places
 * @throws {UnsupportedCapabilityError} `unsupported_capability` where the store cannot do what they need
 */
export function checkedWorkflows(
  name: string,
  given: unknown,
  store: EventStore,
  names: Iterable<string>,
): readonly WorkflowBody[] {
  if (!Array.isArray(given)) throw new DefinitionError(`the application ${name}: workflows must be a list`)
  const taken = new Set(names)
  return given.map((one: unknown) => {
    const body = workflowBodyOf(one)
    if (body === undefined) {
      throw new DefinitionError(`the application ${name}: workflows holds something that is no workflow(…)`)
    }
    const { name: own } = body.model
    if (taken.has(own)) throw new DefinitionError(`the application ${name} has two handlers or workflows named ${own}`)
    taken.add(own)
    mustAppendAtomically(store, `the workflow ${own} needs`)
    return body
  })
}

/** @throws {UnsupportedCapabilityError} `unsupported_capability` */
export function checkedBatches(name: string, given: unknown, store: EventStore): Required<BatchLimits> {
  if (given === undefined) return DEFAULT_LIMITS
  const { maxDepth, maxCommands } = {
    ...DEFAULT_LIMITS,
    ...checkedKeys(name, 'batches', given, ['maxDepth', 'maxCommands']),
  }
  mustAppendAtomically(store, 'batches need')
  return {
    maxDepth: atLeastOne(name, 'batches.maxDepth', maxDepth),
    maxCommands: atLeastOne(name, 'batches.maxCommands', maxCommands),
  }
}
