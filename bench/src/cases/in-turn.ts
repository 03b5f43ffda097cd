import { figure, ratio, type Case, type Measure } from '../case.ts'
import type { OpenBank } from '../contenders/bank.ts'
import { depositsPerSecond } from './deposits.ts'

const BARE = 'bare loop'
const PURE = 'edict, pure apply'
const DRAFT = 'edict, draft table'
const EMMETT = 'emmett'
const CASTORE = 'castore'
const NEST = 'nestjs/cqrs (routing only)'

const inTurn =
  (load: () => Promise<OpenBank>): Measure =>
  async (effort) =>
    depositsPerSecond(effort, await load(), 1_000, effort.short ? 20 : 50)

const edict = async (apply: 'pure' | 'draft'): Promise<OpenBank> => {
  const { EdictBank } = await import('../contenders/edict-bank.ts')
  return () => EdictBank.open({ apply })
}

export const inTurnCase: Case = {
  name: 'in-turn',
  title: '1,000 aggregates in turn',
  notes: [
    'Each pass: 1,000 open accounts, 50 deposits each (20 in a short run), one command after the other.',
    'The bare loop makes one event id and checks, freezes and routes nothing. Edict runs with all defaults on: frozen',
    'messages made by their definitions, frozen states, ids for command and event, metadata, timeout.',
    'Nest routes to a handler with a Map: no events, no store. It is shown, and not compared with.',
  ],
  contenders: {
    [BARE]: inTurn(async () => (await import('../contenders/bare-loop.ts')).BareLoop.open),
    [PURE]: inTurn(() => edict('pure')),
    [DRAFT]: inTurn(() => edict('draft')),
    [EMMETT]: inTurn(async () => (await import('../contenders/emmett-bank.ts')).EmmettBank.open),
    [CASTORE]: inTurn(async () => (await import('../contenders/castore-bank.ts')).CastoreBank.open),
    [NEST]: inTurn(async () => (await import('../contenders/nest-bank.ts')).NestBank.open),
  },
  rows: [
    ...[BARE, PURE, DRAFT, EMMETT, CASTORE, NEST].map((contender) => figure(contender, 'perSecond', 'per second')),
    ratio(PURE, BARE, 'perSecond', { atLeast: 0.4 }),
    ratio(DRAFT, BARE, 'perSecond', { atLeast: 0.25 }),
    ratio(PURE, EMMETT, 'perSecond', { atLeast: 5 }),
    ratio(DRAFT, EMMETT, 'perSecond', { atLeast: 3 }),
    ratio(PURE, CASTORE, 'perSecond', { atLeast: 3 }),
    ratio(DRAFT, CASTORE, 'perSecond', { atLeast: 2 }),
  ],
}
