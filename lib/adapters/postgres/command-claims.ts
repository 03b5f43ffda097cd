import type { ClaimedCommands, GroupClaim, QueuedCommand } from '../../event-store/command-queue-store.ts'
import { commandOf } from './command-rows.ts'
import type { Row } from './database.ts'

export const CLAIM_SQL = 'SELECT * FROM "edict".claim_commands($1, $2, $3, $4)'

/** Whether the call was about something that had to be done before, and is to be made again. */
export function isToClaimAgain(rows: readonly Row[]): boolean {
  return rows.at(-1)?.[0] === '-1'
}

/** What the rows of a claim say: commands by group, and last when there will be more. */
export function claimedCommands(rows: readonly Row[]): ClaimedCommands {
  const claims: (GroupClaim & { readonly commands: QueuedCommand[] })[] = []
  for (const row of rows.slice(0, -1)) {
    const command = commandOf(row, 2)
    const epoch = Number(row[1])
    const last = claims.at(-1)
    if (last?.epoch === epoch) last.commands.push(command)
    else claims.push({ streamId: command.streamId, lane: command.lane, epoch, commands: [command] })
  }
  const nextIn = rows.at(-1)?.[0] ?? undefined
  return { claims, nextIn: nextIn === undefined ? undefined : Number(nextIn) }
}
