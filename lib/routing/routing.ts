import type { Route } from './route.ts'

/** What a router comes to, without its types: what an application dispatches by. */
export interface Routing {
  readonly name: string
  /** By command type. */
  readonly routes: ReadonlyMap<string, Route>
  /** The makers of the commands, by type, for input from outside. */
  readonly definitions: ReadonlyMap<string, CommandMaker>
  /** The prefix of each aggregate that is dispatched to or identified, by the aggregate's name. */
  readonly identities: ReadonlyMap<string, RoutedAggregate>
  /** The router itself and all that it has taken in, to any depth: a dispatch by any of them is one by this router. */
  readonly routers: readonly object[]
}

/** A command definition, as far as a router calls it. */
export interface CommandMaker {
  readonly type: string
  safe(data: unknown): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: Error }
}

/** An aggregate in a router: there is one prefix for it in an application. */
export interface RoutedAggregate {
  readonly model: Route['aggregate']
  readonly prefix: string
  readonly routerName: string
}

const routings = new WeakMap<object, Routing>()

export function keepRouting(router: object, routing: Routing): void {
  routings.set(router, routing)
}

/** What a router comes to; undefined where the value is no router. */
export function routingOf(router: unknown): Routing | undefined {
  return typeof router === 'object' && router !== null ? routings.get(router) : undefined
}
