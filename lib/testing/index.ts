// Given, when, then: decisions without a store
export { given } from './given.ts'
export type { AggregateOutcome, FurtherExpectations, GivenAggregate, GivenEvents } from './given.ts'
export type {
  CommandsOfHandler,
  GivenHandler,
  HandlerOutcome,
  HandlerUnderTest,
  ReplyOfHandler,
} from './given-handler.ts'
export type { FollowedEvent, GivenProcessManager, ProcessOutcome } from './given-process-manager.ts'
export type { ThrownMatch } from './happened.ts'

// Event handlers without an application
export { whenHandled } from './when-handled.ts'
export type { DispatchedCommand, HandledEvents, WhenHandledOptions } from './when-handled.ts'
export { recorded } from './recorded.ts'
export type { RecordedDetails } from './recorded.ts'

// Running applications
export { assertReceiveEvent, refuteReceiveEvent, waitForEvent } from './receive-event.ts'
export type { EventPredicate, RefuteOptions } from './receive-event.ts'
export { assertCorrelated } from './assert-correlated.ts'
export type { Meant } from './assert-correlated.ts'
export { settled } from './settled.ts'
export type { ReceiveOptions } from './settled.ts'
export { drainCommands } from './drain-commands.ts'
export { resetApplication } from './reset-application.ts'
export type { ApplicationUnderTest } from './application-under-test.ts'

// Time, ids and randomness that a test holds
export { testClock } from './test-clock.ts'
export type { TestClock } from './test-clock.ts'
export { testIds, testRandom } from './test-ids.ts'

// The conformance suite for event stores
export { eventStoreConformance } from './event-store-conformance.ts'
export type { ConformanceCase, ConformanceOptions, MakeStore } from './event-store-conformance.ts'
export { registerConformance } from './register-conformance.ts'
export type { TestRunner } from './register-conformance.ts'
export type { MadeStore, ProjectionHarness } from './conformance/store-under-test.ts'
