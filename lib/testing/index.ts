// The conformance suite for event stores
export { eventStoreConformance } from './event-store-conformance.ts'
export type { ConformanceCase, ConformanceOptions, MakeStore } from './event-store-conformance.ts'
export { registerConformance } from './register-conformance.ts'
export type { TestRunner } from './register-conformance.ts'
export type { MadeStore, ProjectionHarness } from './conformance/store-under-test.ts'
