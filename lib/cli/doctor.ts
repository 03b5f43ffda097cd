import type { Command } from 'commander'
import { seconds } from './arguments.ts'
import type { Cli, CommonOptions } from './cli.ts'
import { checkHandlers } from './doctor-handlers.ts'
import { checkQueue } from './doctor-queue.ts'
import { checkStore, openedFor } from './doctor-store.ts'
import { EXIT } from './exit-code.ts'
import { nodeCheck, type Finding } from './finding.ts'
import { printable } from './plain.ts'

interface DoctorOptions extends CommonOptions {
  readonly maxLag: number
}

export function addDoctor(program: Command, cli: Cli): void {
  cli
    .command(program, 'doctor', 'look for what is wrong; ends with 1 where something is')
    .option('--max-lag <seconds>', 'how old may be what a handler or a worker has still to do', seconds, 60_000)
    .action(async (options: DoctorOptions) => {
      const findings: Finding[] = [nodeCheck()]
      const { inside } = await cli.load(options)
      const opened = await openedFor(inside.store)
      findings.push(opened)
      if (opened.status !== 'failed') {
        try {
          findings.push(...(await checkStore(inside.store)))
          findings.push(...(await checkHandlers(inside, options.maxLag)))
          findings.push(...(await checkQueue(inside, options.maxLag)))
        } finally {
          await inside.store.close()
        }
      }
      const isWell = findings.every(({ status }) => status !== 'failed')
      if (!isWell) cli.exitCode = EXIT.failure
      await cli.answer(options, { application: inside.name, ok: isWell, findings }, () => findings.map(line).join(''))
    })
}

const SIGN: Readonly<Record<Finding['status'], string>> = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ' }

function line({ status, check, says }: Finding): string {
  return `${SIGN[status]}  ${check}: ${printable(says)}\n`
}
