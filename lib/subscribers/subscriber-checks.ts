import { DefinitionError } from '../errors.ts'
import { textFault } from '../event-store/argument-checks.ts'
import type { StartFrom } from '../event-store/start-from.ts'
import { refuseUnknownOption } from '../messages/definition-options.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import { isWhole } from '../messages/whole-number.ts'

// What the definitions of event handlers, process managers, projections and workflows have in common. What is wrong is a
// DefinitionError that names it, and `where` it is: `eventHandler('mails')`.

/**
 * A name that a checkpoint can be stored under.
 *
 * @param maker the function that was given it
 * @param name what it was given
 * @param limit how many characters it may have. Default: those of a checkpoint's name
 */
export function checkedName(maker: string, name: unknown, limit?: number): string {
  const fault = textFault(name, limit) ?? (String(name).trim() === '' ? 'must not be blank' : undefined)
  if (fault === undefined) return name as string
  throw new DefinitionError(`${maker}(name, definition): the name ${fault}`)
}

/**
 * The options of a definition, none of them unknown.
 *
 * @param where names the definition
 * @param definition what it is
 * @param known the names of the options that there are
 * @param needed what it should be like, for messages
 */
export function checkedOptions(
  where: string,
  definition: unknown,
  known: readonly string[],
  needed: string,
): Readonly<Record<string, unknown>> {
  if (typeof definition !== 'object' || definition === null) {
    throw new DefinitionError(`${where} needs a definition: ${needed}`)
  }
  refuseUnknownOption(where, definition, known)
  // An object, as seen above. What stands in it is for others to check.
  return definition as Readonly<Record<string, unknown>>
}

export function checkedTypes(where: string, events: unknown): ReadonlySet<string> {
  if (!Array.isArray(events) || events.length === 0) {
    throw new DefinitionError(`${where}: events must be a list of the events that it handles`)
  }
  const types = new Set<string>()
  for (const [index, definition] of events.entries()) {
    const sealed = sealedDefinitionOf(definition)
    if (sealed === undefined) throw new DefinitionError(`${where}: events[${index}] is not made by event(type, schema)`)
    if (sealed.kind !== 'event') throw new DefinitionError(`${where}: ${sealed.type} is a command, not an event`)
    if (types.has(sealed.type)) throw new DefinitionError(`${where}: ${sealed.type} stands in events twice`)
    types.add(sealed.type)
  }
  return types
}

/**
 * The function for each type of event: of a table, or the one for all.
 *
 * @param where names the definition
 * @param option what the table stands under
 * @param handle what stands there; its functions are called as `Handle`
 * @param types those of the definition's events
 */
export function checkedTable<Handle>(
  where: string,
  option: string,
  handle: unknown,
  types: ReadonlySet<string>,
): ReadonlyMap<string, Handle> {
  // What a function of the user's takes cannot be seen: its types were held against the definition's by the compiler.
  if (typeof handle === 'function') return new Map([...types].map((type) => [type, handle as Handle]))
  if (typeof handle !== 'object' || handle === null) {
    throw new DefinitionError(`${where}: ${option} must be a table of functions by event type, or one function`)
  }
  // An instance of a class may hold more than its handlers.
  const plain = Object.getPrototypeOf(handle) === Object.prototype
  const foreign = plain ? Object.keys(handle).find((key) => !types.has(key)) : undefined
  if (foreign !== undefined) {
    throw new DefinitionError(`${where}: ${option} has ${foreign}, which is not one of its events`)
  }
  // Each of its functions is looked at where it is taken out.
  const table = handle as Readonly<Record<string, unknown>>
  return new Map([...types].map((type) => [type, functionFor(where, option, table, type) as Handle]))
}

function functionFor(where: string, option: string, table: Readonly<Record<string, unknown>>, type: string): unknown {
  // A table may be an instance of a class, whose functions are its methods; those of every object are nobody's handlers.
  const found = table[type]
  // It is looked into by a key that only data knows.
  const inherited = (Object.prototype as unknown as Readonly<Record<string, unknown>>)[type]
  if (typeof found !== 'function' || found === inherited) {
    throw new DefinitionError(`${where}: ${option} has no function for ${type}`)
  }
  return found.bind(table)
}

export function checkedConsistency(where: string, consistency: unknown): 'eventual' | 'strong' | undefined {
  if (consistency === undefined || consistency === 'eventual' || consistency === 'strong') return consistency
  throw new DefinitionError(`${where}: consistency must be 'eventual' or 'strong'`)
}

export function checkedStart(where: string, startFrom: unknown): StartFrom {
  if (startFrom === undefined) return 'origin'
  if (startFrom === 'origin' || startFrom === 'current') return startFrom
  if (isWhole(startFrom, 1)) return startFrom
  throw new DefinitionError(`${where}: startFrom must be 'origin', 'current' or a position, a whole number from 1`)
}

export function checkedFunction(
  where: string,
  option: string,
  value: unknown,
): ((...given: unknown[]) => unknown) | undefined {
  if (value === undefined || typeof value === 'function') return value as ((...given: unknown[]) => unknown) | undefined
  throw new DefinitionError(`${where}: ${option} must be a function`)
}

/** Undefined where it is left out. */
export function checkedWhole(where: string, option: string, value: unknown): number | undefined {
  if (value === undefined || isWhole(value, 1)) return value
  throw new DefinitionError(`${where}: ${option} must be a whole number from 1`)
}
