import type { RouteListing } from './router-body.ts'

declare const registered: unique symbol

/** A router, as far as its types go: what takes any router takes this. */
export interface Routed<out Routes> {
  readonly name: string
  /** What is registered, for tools. */
  readonly routes: readonly RouteListing[]
  readonly [registered]: Routes
}
