import { readFileSync } from 'node:fs'
import { clockName } from './processor-time.ts'
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

const bench = new URL('../', import.meta.url)

const versionOf = (packageJson: string): string =>
  (JSON.parse(readFileSync(new URL(packageJson, bench), 'utf8')) as { version: string }).version

/** What the figures depend on besides the code. */
export const machineFacts = () => ({
  node: process.version,
  v8: process.versions.v8,
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  clock: clockName,
  memoryInGiB: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()}`,
  loadAtStart: Number(loadavg()[0]?.toFixed(2)),
  edict: versionOf('../package.json'),
  peers: Object.fromEntries(
    ['@event-driven-io/emmett', '@castore/core', '@nestjs/cqrs'].map((name) => [
      name,
      versionOf(`node_modules/${name}/package.json`),
    ]),
  ),
})

export type MachineFacts = ReturnType<typeof machineFacts>

export function describeMachine({
  node,
  processor,
  cores,
  memoryInGiB,
  system,
  loadAtStart,
  clock,
  edict,
  peers,
}: MachineFacts) {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  return [
    `node ${node} on ${system}, ${processor} × ${cores}, ${memoryInGiB} GiB, load ${loadAtStart}`,
    `time is ${clock}`,
    `edict ${edict}, ${versions.join(', ')}`,
    '',
  ].join('\n')
}
