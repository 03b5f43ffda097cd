#!/usr/bin/env node
import process from 'node:process'
import { exitAfterOutput, processTerminal } from './process-terminal.ts'
import { runCli } from './run-cli.ts'

await exitAfterOutput(await runCli(process.argv.slice(2), processTerminal()))
