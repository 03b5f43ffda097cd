import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Figures } from './case.ts'

const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
const TIMEOUT = 180_000

/** Measures a contender in a process of its own. Rejects where that crashes, hangs, or finds a wrong result. */
export function measureInChild(caseName: string, contender: string, short: boolean, place: string): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [caseName, contender, short ? 'short' : 'full', place], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: TIMEOUT,
    })
    let figures: Figures | undefined
    let complaint = ''
    child.on('message', (message) => (figures = message as Figures))
    child.stderr?.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(-4_000)))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 && figures !== undefined && Object.values(figures).every(Number.isFinite)) resolve(figures)
      else reject(new Error(`${caseName}, ${contender}: ended with ${signal ?? code}\n${complaint}`))
    })
  })
}
