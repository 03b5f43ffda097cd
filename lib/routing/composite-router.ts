import { RouterDefinitionError } from '../errors.ts'
import type { Unless } from '../aggregate/type-error.ts'
import { buildRouter } from './router-body.ts'
import type { Routed } from './routed.ts'
import type { Router } from './router.ts'
import { routingOf } from './routing.ts'
import type { RoutingBuilder } from './routing-builder.ts'

/**
 * Takes several routers in as one: the short form of `router(name, (all) => all.router(a).router(b))`.
 *
 * @example
 * const app = application({ name: 'bank', router: compositeRouter(bankRouter, transferRouter), eventStore: inMemoryEventStore() })
 *
 * @throws {RouterDefinitionError} `duplicate_registration` where two have the same command, and names them
 */
export function compositeRouter<const Maps extends readonly unknown[]>(
  ...routers: { readonly [Index in keyof Maps]: Routed<Maps[Index]> & Unique<Maps, Index> }
): Router<Merged<Maps>> {
  const list = routers as readonly unknown[]
  if (list.length === 0)
    throw new RouterDefinitionError('invalid_registration', 'compositeRouter needs one router or more')
  const names = list.map((one) => routingOf(one)?.name ?? '?').join(' + ')
  const composed = buildRouter(names, (builder: RoutingBuilder) =>
    list.reduce<RoutingBuilder>((all, one) => all.router(one), builder),
  )
  // It has the routes of all, which the reduction cannot tell.
  return composed as unknown as Router<Merged<Maps>>
}

type Merged<Maps extends readonly unknown[]> = Maps extends readonly [infer First, ...infer Rest]
  ? First & Merged<Rest>
  : {}

/** Lets a router through whose commands no other one has. */
type Unique<Maps extends readonly unknown[], Index extends keyof Maps> = Unless<
  KeysBeside<Maps, Index> & keyof Maps[Index] extends infer Twice extends string
    ? `${Twice} is registered in two of the routers`
    : never
>

type KeysBeside<Maps extends readonly unknown[], Index> = {
  [Other in keyof Maps]: Other extends Index ? never : keyof Maps[Other]
}[number]
