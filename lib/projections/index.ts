// Projections for a store of your own. Those for Edict's stores come from edict/sqlite and edict/postgres.
export { removeProjection } from '../subscribers/remove-projection.ts'
export { projection, projectionFor } from '../subscribers/projection.ts'
