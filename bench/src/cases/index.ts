import type { Case } from '../case.ts'
import { postgresBigStoreCase, sqliteBigStoreCase } from './big-store.ts'
import { postgresCatchUpCase, sqliteCatchUpCase } from './catch-up.ts'
import { canMeasureCompile, compileCase } from './compile.ts'
import { eventHeapCase } from './event-heap.ts'
import { foldCase } from './fold.ts'
import { growthCase } from './growth.ts'
import { memoryHandlersCase, sqliteHandlersCase } from './handlers.ts'
import { inTurnCase } from './in-turn.ts'
import { liveAggregatesCase } from './live-aggregates.ts'
import { liveHeapCase } from './live-heap.ts'
import { loadCase } from './load.ts'
import { middlewareCase } from './middleware.ts'
import { nodesCase } from './nodes.ts'
import { postgresAppendsCase } from './postgres-appends.ts'
import { queueAloneCase } from './queue-alone.ts'
import { queuedMemoryCase, queuedPostgresCase, queuedSqliteCase } from './queued.ts'
import { routesCase } from './routes.ts'
import { sqliteAppendsCase } from './sqlite-appends.ts'
import { strongCase } from './strong.ts'
import { telemetryCase } from './telemetry.ts'
import { liveProcessesCase, transfersCase } from './transfers.ts'
import { waitsCase } from './waits.ts'

/** In the order of the table. */
export const cases: readonly Case[] = [
  inTurnCase,
  growthCase,
  strongCase,
  memoryHandlersCase,
  middlewareCase,
  telemetryCase,
  foldCase,
  liveHeapCase,
  eventHeapCase,
  liveAggregatesCase,
  routesCase,
  ...(canMeasureCompile ? [compileCase] : []),
  sqliteAppendsCase,
  sqliteCatchUpCase,
  sqliteHandlersCase,
  sqliteBigStoreCase,
  postgresAppendsCase,
  postgresCatchUpCase,
  postgresBigStoreCase,
  loadCase,
  nodesCase,
  waitsCase,
  transfersCase,
  liveProcessesCase,
  queuedMemoryCase,
  queuedSqliteCase,
  queuedPostgresCase,
  queueAloneCase,
]
