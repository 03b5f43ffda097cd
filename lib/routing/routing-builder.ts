import { modelOf } from '../aggregate/aggregate.ts'
import type { AggregateModel } from '../aggregate/model.ts'
import { RouterDefinitionError } from '../errors.ts'
import { sealedDefinitionOf } from '../messages/definition.ts'
import type { SealedDefinition } from '../messages/sealed-message.ts'
import { commandHandlerBodyOf } from './command-handler-body.ts'
import type { Middleware } from './middleware.ts'
import {
  checkHandled,
  checkListed,
  checkedCommands,
  checkedOptionKeys,
  checkedRouteOptions,
  handlerOf,
  identityRule,
  invalid,
  prefixText,
  type IdentityRule,
} from './registration.ts'
import type { Route } from './route.ts'
import { routingOf, type CommandMaker, type RoutedAggregate, type Routing } from './routing.ts'

/** What a builder has gathered so far; each step makes another one. */
interface Gathered {
  readonly middleware: readonly Middleware[]
  readonly rules: ReadonlyMap<AggregateModel, IdentityRule>
  readonly identities: ReadonlyMap<string, RoutedAggregate>
  readonly routes: ReadonlyMap<string, Route>
  readonly definitions: ReadonlyMap<string, CommandMaker>
  readonly routers: readonly object[]
}

const NOTHING: Gathered = {
  middleware: [],
  rules: new Map(),
  identities: new Map(),
  routes: new Map(),
  definitions: new Map(),
  routers: [],
}

const HOOKS = ['beforeDispatch', 'afterDispatch', 'afterFailure', 'started', 'stopped']

/** The one builder that the next step may be taken from; undefined once the block has ended. */
interface Block {
  latest: RoutingBuilder | undefined
}

/**
 * The run-time of the block that defines a router. Each step gives a builder that knows one thing more, and uses up the one that
 * it was taken from: what a step registered cannot get lost.
 */
export class RoutingBuilder {
  readonly #name: string
  readonly #gathered: Gathered
  readonly #block: Block

  constructor(name: string, gathered: Gathered = NOTHING, block: Block = { latest: undefined }) {
    this.#name = name
    this.#gathered = gathered
    this.#block = block
    block.latest = this
  }

  /** Whether the block may end with this builder: it is one of its own, and no step was taken from it. */
  static endsBlock(begun: RoutingBuilder, ended: unknown): ended is RoutingBuilder {
    return ended instanceof RoutingBuilder && begun.#block.latest === ended
  }

  middleware(...middleware: readonly Middleware[]): RoutingBuilder {
    this.#checkLatest()
    for (const one of middleware as readonly unknown[]) {
      if (!isMiddleware(one)) {
        throw invalid(this.#name, `middleware is a function (pipeline, next), or an object with ${HOOKS.join(', ')}`)
      }
    }
    return this.#with({ middleware: [...this.#gathered.middleware, ...middleware] })
  }

  identify(aggregate: unknown, identity: unknown): RoutingBuilder {
    this.#checkLatest()
    const model = modelOf(aggregate)
    if (model === undefined) throw invalid(this.#name, 'identify(aggregate, …) needs an aggregate(…)')
    if (identity === null || typeof identity !== 'object' || !('by' in identity)) {
      throw new RouterDefinitionError(
        'invalid_identity_definition',
        `router ${this.#name}: identify(${model.name}, { by }) needs by`,
      )
    }
    for (const key of Object.keys(identity)) {
      if (key !== 'by' && key !== 'prefix') throw invalid(this.#name, `identify has by and prefix, and not ${key}`)
    }
    if (this.#gathered.rules.has(model)) {
      throw new RouterDefinitionError('duplicate_identity', `router ${this.#name}: ${model.name} is identified twice`)
    }
    const prefix = prefixText(this.#name, model.name, (identity as { readonly prefix?: unknown }).prefix)
    const rule = identityRule(this.#name, model.name, identity.by)
    const identities = this.#withAggregate(model, prefix)
    return this.#with({ rules: new Map([...this.#gathered.rules, [model, rule]]), identities })
  }

  dispatch(commands: unknown, given: unknown): RoutingBuilder {
    this.#checkLatest()
    const name = this.#name
    const options = checkedOptionKeys(name, given)
    const definitions = checkedCommands(name, commands)
    const sealed = definitions.map((definition) => sealedDefinitionOf(definition) as SealedDefinition)
    const types = sealed.map(({ type }) => type)
    const { to } = options
    if (to === undefined || to === null) throw invalid(name, `dispatch of ${types.join(', ')} does not say to`)
    const model = this.#aggregateOf(types, options)
    const unit = commandHandlerBodyOf(to)
    const handler = (modelOf(to) ?? unit) === undefined ? this.#handlers(to, types) : undefined
    if (unit !== undefined) checkHandled(name, unit, sealed)
    else if (handler === undefined) checkListed(name, model, types)
    const rule = this.#ruleFor(model, types, options['identity'])
    const beforeExecute = this.#beforeExecute(options['beforeExecute'])
    const routeOptions = checkedRouteOptions(name, options)
    const routes = new Map(this.#gathered.routes)
    const makers = new Map(this.#gathered.definitions)
    for (const [index, command] of sealed.entries()) {
      if (routes.has(command.type)) throw duplicate(command.type, name, name)
      // A command definition, as was checked: `safe` is its own.
      makers.set(command.type, definitions[index] as unknown as CommandMaker)
      routes.set(
        command.type,
        Object.freeze({
          command,
          aggregate: model,
          handler: handler?.(command.type),
          unit,
          beforeExecute,
          ...rule,
          // Filled in when the block ends: an aggregate whose registrations say their identity may be identified after them.
          prefix: '',
          middleware: [],
          options: routeOptions,
          routerName: name,
        }),
      )
    }
    return this.#with({ routes, definitions: makers })
  }

  router(other: unknown): RoutingBuilder {
    this.#checkLatest()
    const inner = routingOf(other)
    if (inner === undefined) throw invalid(this.#name, 'router(other) needs a router(…)')
    const routes = new Map(this.#gathered.routes)
    const definitions = new Map(this.#gathered.definitions)
    for (const [type, route] of inner.routes) {
      const known = routes.get(type)
      if (known !== undefined) throw duplicate(type, known.routerName, route.routerName)
      routes.set(type, route)
      definitions.set(type, inner.definitions.get(type) as CommandMaker)
    }
    const identities = new Map(this.#gathered.identities)
    for (const routed of inner.identities.values()) agree(identities, routed)
    return this.#with({ routes, definitions, identities, routers: [...this.#gathered.routers, ...inner.routers] })
  }

  /** Ends the block: every route gets the prefix of its aggregate and the middleware around it. */
  finish(): Omit<Routing, 'routers'> & { readonly inner: readonly object[] } {
    const { definitions, middleware, routers } = this.#gathered
    this.close()
    const identities = new Map(this.#gathered.identities)
    const routes = new Map<string, Route>()
    for (const [type, route] of this.#gathered.routes) {
      const { aggregate: model, routerName } = route
      const prefix = identities.get(model.name)?.prefix ?? ''
      agree(identities, { model, prefix, routerName })
      routes.set(type, Object.freeze({ ...route, prefix, middleware: [...middleware, ...route.middleware] }))
    }
    return { name: this.#name, routes, definitions, identities, inner: routers }
  }

  /** Ends the block without a router. */
  close(): void {
    this.#block.latest = undefined
  }

  #checkLatest(): void {
    const { latest } = this.#block
    if (latest === this) return
    throw invalid(
      this.#name,
      latest === undefined
        ? 'its block has ended: a router that is defined does not change'
        : 'a step was taken from this builder already: chain the steps, as each gives the builder for the next one',
    )
  }

  #with(more: Partial<Gathered>): RoutingBuilder {
    return new RoutingBuilder(this.#name, { ...this.#gathered, ...more }, this.#block)
  }

  #aggregateOf(types: readonly string[], options: Readonly<Record<string, unknown>>): AggregateModel {
    const target = modelOf(options['to']) ?? commandHandlerBodyOf(options['to'])?.aggregate
    const named = options['aggregate']
    const model = target ?? modelOf(named)
    if (model === undefined) {
      throw invalid(
        this.#name,
        `the command handler of ${types.join(', ')} needs its aggregate beside it: { to, aggregate }`,
      )
    }
    if (target !== undefined && named !== undefined && modelOf(named) !== target) {
      throw invalid(this.#name, `${types.join(', ')} cannot go to ${target.name} and name another aggregate`)
    }
    return model
  }

  #handlers(to: unknown, types: readonly string[]) {
    if (typeof to !== 'function' && typeof to !== 'object') {
      throw invalid(this.#name, `${types.join(', ')} must go to an aggregate, a function, or a table of functions`)
    }
    return handlerOf(this.#name, to, types)
  }

  #ruleFor(model: AggregateModel, types: readonly string[], identity: unknown): IdentityRule {
    if (identity !== undefined) return identityRule(this.#name, model.name, identity)
    const rule = this.#gathered.rules.get(model)
    if (rule !== undefined) return rule
    throw new RouterDefinitionError(
      'missing_identity',
      `router ${this.#name}: identify ${model.name} before dispatching ${types.join(', ')} to it, or say identity`,
    )
  }

  #beforeExecute(given: unknown): Route['beforeExecute'] {
    if (given === undefined || typeof given === 'function') return given as Route['beforeExecute']
    throw invalid(this.#name, 'beforeExecute must be a function')
  }

  #withAggregate(model: AggregateModel, prefix: string): ReadonlyMap<string, RoutedAggregate> {
    const identities = new Map(this.#gathered.identities)
    agree(identities, { model, prefix, routerName: this.#name })
    return identities
  }
}

function agree(identities: Map<string, RoutedAggregate>, routed: RoutedAggregate): void {
  const { model, prefix, routerName } = routed
  const known = identities.get(model.name)
  if (known === undefined) {
    identities.set(model.name, routed)
    return
  }
  if (known.model !== model) {
    throw new RouterDefinitionError(
      'invalid_registration',
      `two aggregates are named ${model.name}, in the routers ${known.routerName} and ${routerName}`,
    )
  }
  if (known.prefix !== prefix) {
    throw new RouterDefinitionError(
      'conflicting_prefix',
      `${model.name} has the prefix "${known.prefix}" in router ${known.routerName} and "${prefix}" in router ${routerName}`,
    )
  }
}

function duplicate(type: string, one: string, other: string): RouterDefinitionError {
  const where = one === other ? `twice in router ${one}` : `in router ${one} and in router ${other}`
  return new RouterDefinitionError('duplicate_registration', `the command ${type} is registered ${where}`)
}

function isMiddleware(value: unknown): value is Middleware {
  if (typeof value === 'function') return true
  if (value === null || typeof value !== 'object') return false
  const hooks = HOOKS.map((hook) => (value as Record<string, unknown>)[hook]).filter((hook) => hook !== undefined)
  return hooks.length > 0 && hooks.every((hook) => typeof hook === 'function')
}
