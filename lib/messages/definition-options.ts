import { DefinitionError } from '../errors.ts'

/**
 * Refuses an option that a definition does not have: one that is misspelt would be passed over in silence.
 *
 * @throws {DefinitionError} `invalid_definition`
 */
export function refuseUnknownOption(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new DefinitionError(`${where}: unknown option ${unknown}; the options are ${known.join(', ')}`)
}
