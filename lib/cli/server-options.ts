import type { CommonOptions } from './cli.ts'
import type { Level } from './json-log.ts'

export interface ServerOptions extends CommonOptions {
  readonly workers?: number
  readonly concurrency: number
  readonly port?: number
  readonly host: string
  readonly drainTimeout: number
  readonly logLevel: Level
}
