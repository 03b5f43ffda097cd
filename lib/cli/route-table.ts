import type { Routing } from '../routing/routing.ts'

/** A registration, as the router table shows it. */
export interface RouteRow {
  readonly command: string
  readonly aggregate: string
  /** The name of the router that registered it. */
  readonly router: string
  /** Who decides: the aggregate itself, or a command handler. */
  readonly handledBy: 'aggregate' | 'command handler'
  /** The key of the command's data that is the identity; `identity()` where a function finds it. */
  readonly identity: string
  /** What stands before the identity in the stream's id. */
  readonly prefix: string
  /** How many middleware stand around it. */
  readonly middleware: number
  /** What the registration says for every dispatch; empty where it says nothing. */
  readonly options: Readonly<Record<string, unknown>>
}

/** What a router has registered, in the order of registration. */
export function routeTable({ routes }: Routing): readonly RouteRow[] {
  return [...routes].map(([command, route]) => ({
    command,
    aggregate: route.aggregate.name,
    router: route.routerName,
    handledBy: (route.handler ?? route.unit) === undefined ? 'aggregate' : 'command handler',
    identity: route.identityName,
    prefix: route.prefix,
    middleware: route.middleware.length,
    options: shownOptions(route.options),
  }))
}

/** Handlers are shown by their names, and a lifespan by its being there. */
function shownOptions(options: object): Readonly<Record<string, unknown>> {
  const shown = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, unknown] => [
      name,
      typeof value === 'function' || name === 'lifespan' ? 'its own' : value,
    ])
  return Object.fromEntries(shown)
}
