/** Names of events, commands, aggregates and categories that begin so are Edict's own. */
const RESERVED_PREFIX = 'edict.'

export function isReserved(name: string): boolean {
  return name.startsWith(RESERVED_PREFIX)
}
