import type { Case } from '../case.ts'
import { canMeasureCompile, compileCase } from './compile.ts'
import { eventHeapCase } from './event-heap.ts'
import { foldCase } from './fold.ts'
import { growthCase } from './growth.ts'
import { inTurnCase } from './in-turn.ts'
import { liveAggregatesCase } from './live-aggregates.ts'
import { liveHeapCase } from './live-heap.ts'
import { middlewareCase } from './middleware.ts'
import { routesCase } from './routes.ts'
import { strongCase } from './strong.ts'

/** In the order of the table. */
export const cases: readonly Case[] = [
  inTurnCase,
  growthCase,
  strongCase,
  middlewareCase,
  foldCase,
  liveHeapCase,
  eventHeapCase,
  liveAggregatesCase,
  routesCase,
  ...(canMeasureCompile ? [compileCase] : []),
]
