import type { AuditEntry, AuditedEvent } from './audit-entry.ts'

/** A command, with its events and what followed from it. */
export interface AuditNode {
  readonly entry: AuditEntry
  readonly events: readonly AuditEventNode[]
  /** Those whose cause is this command itself, rather than one of its events. */
  readonly commands: readonly AuditNode[]
}

/** An event, with the commands that followed from it. */
export interface AuditEventNode {
  readonly event: AuditedEvent
  readonly commands: readonly AuditNode[]
}

/** The entries of one correlation as trees: each command below the event, or the command, that caused it. */
export function auditTree(entries: readonly AuditEntry[]): readonly AuditNode[] {
  const byCause = new Map<string, AuditEntry[]>()
  const roots: AuditEntry[] = []
  const causes = new Set(
    entries.flatMap(({ commandId, events }) => [commandId, ...events.map(({ eventId }) => eventId)]),
  )
  for (const entry of entries) {
    const { causationId, commandId } = entry
    if (causationId === undefined || causationId === commandId || !causes.has(causationId)) roots.push(entry)
    else byCause.set(causationId, [...(byCause.get(causationId) ?? []), entry])
  }
  // A command that came twice has two entries; what followed stands below the first, once.
  const causedBy = (cause: string | undefined): readonly AuditNode[] => {
    const caused = cause === undefined ? undefined : byCause.get(cause)
    if (cause === undefined || caused === undefined) return []
    byCause.delete(cause)
    return caused.map(node)
  }
  const node = (entry: AuditEntry): AuditNode => ({
    entry,
    events: entry.events.map((event) => ({ event, commands: causedBy(event.eventId) })),
    commands: causedBy(entry.commandId),
  })
  return roots.map(node)
}

/** The tree that begins with a command, wherever in these it stands. */
export function subtree(trees: readonly AuditNode[], commandId: string): AuditNode | undefined {
  const waiting = [...trees]
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    if (node.entry.commandId === commandId) return node
    waiting.push(...node.commands, ...node.events.flatMap(({ commands }) => commands))
  }
  return undefined
}
