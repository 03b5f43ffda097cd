import type { Command } from 'commander'
import type { Cli } from './cli.ts'

export function addServer(_program: Command, _cli: Cli): void {}
