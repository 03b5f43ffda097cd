import { spawn, type ChildProcess } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

export interface ChildResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningChild {
  readonly process: ChildProcess
  readonly result: Promise<ChildResult>
}

export interface ChildOptions {
  /** Of the user whose process it is. */
  readonly uid?: number | undefined
  /** A module of this folder that is loaded before. */
  readonly first?: string
}

const pathOf = (module: string) => fileURLToPath(new URL(module, import.meta.url))

/** Starts a module of this folder in a process of its own. */
export function startChild(module: string, args: readonly string[], { uid, first }: ChildOptions = {}): RunningChild {
  const imports = first === undefined ? [] : ['--import', pathOf(first)]
  const child = spawn(process.execPath, ['--import', 'tsx', ...imports, pathOf(module), ...args], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const result = Promise.all([ended, text(child.stdout), text(child.stderr)]).then(([status, stdout, stderr]) => ({
    status,
    stdout,
    stderr,
  }))
  return { process: child, result }
}
