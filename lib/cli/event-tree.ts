import { printable } from './plain.ts'
import { whatItSays, type ShownEvent } from './shown-event.ts'

/** A command, by the events that it made, and what followed from each. */
export interface CommandNode {
  readonly commandId: string
  readonly causationId: string
  readonly events: readonly EventNode[]
  /** Those whose cause is this command itself, rather than one of its events. */
  readonly commands: readonly CommandNode[]
}

export interface EventNode {
  readonly event: ShownEvent
  readonly commands: readonly CommandNode[]
}

/** The events of one correlation as trees: each command below the event, or the command, that caused it. In the order of positions. */
export function eventTree(events: readonly ShownEvent[]): readonly CommandNode[] {
  const commands = new Map<string, ShownEvent[]>()
  for (const event of events) {
    const ofCommand = commands.get(event.commandId)
    if (ofCommand === undefined) commands.set(event.commandId, [event])
    else ofCommand.push(event)
  }
  const known = new Set([...commands.keys(), ...events.map(({ eventId }) => eventId)])
  const caused = new Map<string, string[]>()
  const roots: string[] = []
  for (const [commandId, [first]] of commands) {
    const cause = first?.causationId
    if (cause === undefined || cause === commandId || !known.has(cause)) roots.push(commandId)
    else caused.set(cause, [...(caused.get(cause) ?? []), commandId])
  }
  // Taken out as they are placed: whatever ids somebody made up, each command stands once, and this ends.
  const take = (cause: string): readonly CommandNode[] => {
    const commandIds = caused.get(cause) ?? []
    caused.delete(cause)
    return commandIds.map(node)
  }
  const node = (commandId: string): CommandNode => {
    const ofCommand = commands.get(commandId) ?? []
    return {
      commandId,
      causationId: ofCommand[0]?.causationId ?? commandId,
      events: ofCommand.map((event) => ({ event, commands: event.index === 0 ? take(event.eventId) : [] })),
      commands: take(commandId),
    }
  }
  const trees = roots.map(node)
  // Commands that caused each other in a circle are roots by nobody's word.
  for (const [cause] of caused) trees.push(...take(cause))
  return trees
}

/** The trees, a line for each command and each event. */
export function treeText(trees: readonly CommandNode[]): string {
  const lines: string[] = []
  const command = (one: CommandNode, indent: string): void => {
    lines.push(`${indent}command ${printable(one.commandId)}`)
    for (const { event, commands } of one.events) {
      const { position, type, streamId, streamVersion } = event
      const place = `${printable(streamId)}@${streamVersion}`
      lines.push(`${indent}  ${position}  ${printable(type)}  ${place}  ${whatItSays(event)}`)
      for (const next of commands) command(next, `${indent}    `)
    }
    for (const next of one.commands) command(next, `${indent}  `)
  }
  for (const tree of trees) command(tree, '')
  return lines.map((line) => `${line}\n`).join('')
}
