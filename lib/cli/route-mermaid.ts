import type { RouteRow } from './route-table.ts'

/** The router table as a Mermaid flowchart: each router a box of its commands, and arrows to the aggregates. */
export function routeMermaid(rows: readonly RouteRow[]): string {
  const routers = new Map<string, RouteRow[]>()
  for (const row of rows) routers.set(row.router, [...(routers.get(row.router) ?? []), row])
  const commandId = new Map(rows.map(({ command }, index) => [command, `c${index + 1}`]))
  const aggregates = [...new Set(rows.map(({ aggregate }) => aggregate))]
  const aggregateId = new Map(aggregates.map((aggregate, index) => [aggregate, `a${index + 1}`]))
  const lines = ['flowchart LR']
  for (const [index, [router, ofRouter]] of [...routers].entries()) {
    lines.push(`  subgraph r${index + 1}[${quoted(router)}]`)
    for (const { command } of ofRouter) lines.push(`    ${commandId.get(command)}[${quoted(command)}]`)
    lines.push('  end')
  }
  for (const aggregate of aggregates) lines.push(`  ${aggregateId.get(aggregate)}[(${quoted(aggregate)})]`)
  for (const { command, aggregate, handledBy } of rows) {
    const arrow = handledBy === 'aggregate' ? '-->' : `-->|${quoted(handledBy)}|`
    lines.push(`  ${commandId.get(command)} ${arrow} ${aggregateId.get(aggregate)}`)
  }
  return `${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('#', '#35;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('\n', ' ')}"`
}
