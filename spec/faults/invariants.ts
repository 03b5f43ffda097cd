import type { DirectReader, ProjectedRow, StoredRow } from './direct-reader.ts'
import type { Handled, LedgerLine } from './ledger.ts'
import { countCommand, STREAM_PREFIX } from './tally.ts'

/** What a spec has seen from outside, to be held against what is stored. */
export interface Witnessed {
  /** What the nodes said, each life by itself. */
  readonly ledgers: readonly (readonly LedgerLine[])[]
  /** The effects of the handler, in order; undefined where none ran. */
  readonly handled: readonly Handled[] | undefined
  readonly projects: boolean
  /** The positions that a reader saw which went on from the last one, while events were written. */
  readonly seen: readonly number[] | undefined
}

/** So many faults of one kind are named at most. */
const MOST_NAMED = 3

/** Everything that is wrong, in sentences; empty where all promises were kept. */
export async function violations(reader: DirectReader, witnessed: Witnessed): Promise<string[]> {
  const rows = await reader.rowsAfter(0)
  const faults = [
    ...(await reader.damage()),
    ...gaps(rows),
    ...versionFaults(rows, await reader.streamVersions()),
    ...commandFaults(rows),
    ...acknowledgementFaults(rows, witnessed.ledgers),
    ...missed(rows, witnessed.seen),
  ]
  if (witnessed.handled !== undefined) faults.push(...handlingFaults(rows, witnessed.handled))
  if (witnessed.projects) faults.push(...projectionFaults(rows, await reader.projected()))
  return faults
}

function few(faults: readonly string[]): string[] {
  const more = faults.length - MOST_NAMED
  return more > 0 ? [...faults.slice(0, MOST_NAMED), `… and ${more} more of the kind`] : [...faults]
}

function gaps(rows: readonly StoredRow[]): string[] {
  const fault = rows.findIndex((row, index) => row.position !== index + 1)
  return fault < 0 ? [] : [`the positions have a gap: ${rows[fault]?.position} stands where ${fault + 1} must`]
}

function versionFaults(rows: readonly StoredRow[], versions: ReadonlyMap<string, number>): string[] {
  const faults: string[] = []
  const last = new Map<string, number>()
  for (const { streamId, streamVersion, position } of rows) {
    const expected = (last.get(streamId) ?? 0) + 1
    if (streamVersion !== expected) {
      faults.push(
        `the versions of ${streamId} are not contiguous: ${streamVersion} at position ${position}, not ${expected}`,
      )
    }
    last.set(streamId, streamVersion)
  }
  for (const [streamId, version] of versions) {
    if (last.get(streamId) !== version) {
      faults.push(`${streamId} is said to be at version ${version}, and its last event is ${last.get(streamId)}`)
    }
  }
  return few(faults)
}

function byCommand(rows: readonly StoredRow[]): Map<string, StoredRow[]> {
  const commands = new Map<string, StoredRow[]>()
  for (const row of rows) {
    const events = commands.get(row.commandId)
    if (events === undefined) commands.set(row.commandId, [row])
    else events.push(row)
  }
  return commands
}

/** Each command that is stored is there whole, once, and as it was sent. */
function commandFaults(rows: readonly StoredRow[]): string[] {
  const faults: string[] = []
  for (const [commandId, events] of byCommand(rows)) {
    const { id, by, times } = countCommand(commandId)
    if (events.length !== times) faults.push(`${commandId} is stored with ${events.length} events instead of ${times}`)
    const [first] = events
    const whole = events.every(({ streamId, position, data }, index) => {
      // The serializer's JSON of numbers is plain JSON.
      const stored = JSON.parse(data) as { readonly by?: unknown; readonly step?: unknown }
      const inPlace = position === (first?.position ?? 0) + index && streamId === STREAM_PREFIX + id
      return inPlace && stored.by === by && stored.step === index + 1
    })
    if (!whole) faults.push(`the events of ${commandId} are not those that it makes, one after another`)
  }
  return few(faults)
}

/** What was acknowledged is there, where it was said to be; what was refused is not. */
function acknowledgementFaults(rows: readonly StoredRow[], ledgers: Witnessed['ledgers']): string[] {
  const commands = byCommand(rows)
  const acknowledged = new Set<string>()
  const lost: string[] = []
  const elsewhere: string[] = []
  const otherwise: string[] = []
  for (const line of ledgers.flat()) {
    if (line.kind === 'acknowledged') {
      const { commandId, positions, versions } = line
      if (acknowledged.has(commandId)) otherwise.push(`${commandId} was acknowledged twice to one writer`)
      acknowledged.add(commandId)
      const events = commands.get(commandId) ?? []
      const said = JSON.stringify([positions, versions])
      const stored = JSON.stringify([events.map((row) => row.position), events.map((row) => row.streamVersion)])
      if (events.length === 0) lost.push(`${commandId} was acknowledged, and is lost`)
      else if (said !== stored) elsewhere.push(`${commandId} was acknowledged as ${said}, and is stored as ${stored}`)
    } else if (line.kind === 'refused' && line.outcome === 'not-executed' && commands.has(line.commandId)) {
      otherwise.push(`${line.commandId} was said not to be executed, and is stored: ${line.error}`)
    }
  }
  return [...few(lost), ...few(elsewhere), ...few(otherwise)]
}

function missed(rows: readonly StoredRow[], seen: readonly number[] | undefined): string[] {
  if (seen === undefined) return []
  const known = new Set(seen)
  return few(
    rows
      .filter(({ position }) => !known.has(position))
      .map(({ position }) => `a reader that read all the while never saw position ${position}`),
  )
}

/** Each event at least once, and none before the one in front of it. What comes again, comes again in order. */
function handlingFaults(rows: readonly StoredRow[], handled: readonly Handled[]): string[] {
  const faults: string[] = []
  const known = new Set(handled.map(({ position }) => position))
  for (const { position } of rows) if (!known.has(position)) faults.push(`position ${position} was never handled`)
  const furthest = new Map<string, number>()
  for (const { streamId, streamVersion } of handled) {
    const before = furthest.get(streamId) ?? 0
    if (streamVersion > before + 1) {
      faults.push(`version ${streamVersion} of ${streamId} was handled when only ${before} had been`)
    }
    furthest.set(streamId, Math.max(before, streamVersion))
  }
  return few(faults)
}

/** Each event once, in order, with the total that comes of it. */
function projectionFaults(rows: readonly StoredRow[], projected: readonly ProjectedRow[]): string[] {
  const faults: string[] = []
  const totals = new Map<string, number>()
  for (const [index, { position, streamId, commandId }] of rows.entries()) {
    const total = (totals.get(streamId) ?? 0) + countCommand(commandId).by
    totals.set(streamId, total)
    const row = projected[index]
    if (row?.position === position && row.streamId === streamId && row.total === total) continue
    faults.push(`the read model has ${JSON.stringify(row)} where position ${position} makes ${streamId} ${total}`)
  }
  if (projected.length > rows.length) {
    faults.push(`the read model has ${projected.length} rows of ${rows.length} events`)
  }
  return few(faults)
}
