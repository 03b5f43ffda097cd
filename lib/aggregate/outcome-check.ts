import type { Message } from '../messages/message.ts'
import type { Carrier, NamedStep, Reply } from './outcome-type.ts'
import type { Rejection } from './rejection.ts'

// The sentences that the compiler prints for what user code gives back. `Who` begins the sentence, `Event` is the union of
// the aggregate's events, `Name` is the aggregate's name.

/** What is right without a closer look. */
export type PlainOutcome<Event> = Event | readonly Event[] | Rejection | undefined | void

/** What is wrong with an outcome of `execute`; never where nothing is. */
export type ExecuteProblem<Who extends string, Out, Event, Name extends string> = 0 extends 1 & Out
  ? never
  : Out extends PromiseLike<unknown>
    ? `${Who} gives a promise: execute is synchronous, asynchronous work belongs in a command handler`
    : Out extends Reply<unknown, unknown>
      ? `${Who} gives a reply: only a command handler may reply`
      : OutcomeProblem<Who, Out, Event, Name>

/** What is wrong with the outcome of a command handler, awaited; never where nothing is. */
export type HandlerProblem<Who extends string, Out, Event, Name extends string> = 0 extends 1 & Out
  ? never
  : Out extends Reply<unknown, infer Given>
    ? OutcomeProblem<Who, Given, Event, Name>
    : OutcomeProblem<Who, Out, Event, Name>

type OutcomeProblem<Who extends string, Out, Event, Name extends string> = 0 extends 1 & Out
  ? never
  : Out extends Event | Rejection | undefined | void
    ? never
    : Out extends readonly (infer Item)[]
      ? EventProblem<Who, Item, Event, Name>
      : Out extends Carrier<infer Given>
        ? StepProblem<Who, Given, Event, Name>
        : EventProblem<Who, Out, Event, Name>

type StepProblem<Who extends string, Out, Event, Name extends string> = 0 extends 1 & Out
  ? never
  : Out extends PromiseLike<unknown>
    ? `${Who} has a step that gives a promise: the steps of a multi are synchronous`
    : Out extends Reply<unknown, unknown>
      ? `${Who} has a step that gives a reply: reply with the whole multi instead`
      : Out extends NamedStep<string>
        ? never
        : OutcomeProblem<Who, Out, Event, Name>

type EventProblem<Who extends string, Out, Event, Name extends string> = 0 extends 1 & Out
  ? never
  : Out extends Event
    ? never
    : Out extends Message<'event', infer Type>
      ? `${Who} gives ${Type}, which is not among the events of ${Name}`
      : Out extends Message<'command', infer Type>
        ? `${Who} gives the command ${Type}, not an event`
        : Out extends Rejection
          ? `${Who} gives a rejection in a list: give it alone`
          : `${Who} must give an event that its definition made, a list of events, nothing, reject(…) or multi(…)`
