import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isPromiseLike } from '../effects/maybe-promise.ts'
import { DefinitionError, ValidationError, describeThrown, type Issue } from '../errors.ts'
import { flatImmutableCopy, immutableCopy, protoKeyPath } from './immutable.ts'
import type { CommandDefinition, EventDefinition, MessageDefinition, MessageKind } from './message.ts'
import { isReserved } from './reserved.ts'
import { SealedMessage, type SealedDefinition } from './sealed-message.ts'
import { isShape } from './shape.ts'
import { isWhole } from './whole-number.ts'

/** What a definition of an event may say beside its schema. */
export interface EventOptions {
  /**
   * The version of the shape that is written today, a whole number from 1. Raise it when the shape changes, and give the
   * application an upcaster for what was stored before.
   * @default 1
   */
  readonly schemaVersion?: number
}

/**
 * Defines a command: a function that checks its data once, and gives a frozen command.
 *
 * @example
 * const OpenAccount = command('OpenAccount', z.object({ accountNumber: z.string(), initialBalance: z.number() }))
 * OpenAccount({ accountNumber: 'ACC123', initialBalance: 1_000 }) // { type: 'OpenAccount', data: { … } }
 *
 * @throws {ValidationError} `invalid_message`, from the function that it gives, with every issue of the schema
 * @throws {DefinitionError} `invalid_definition` where `type` or `schema` is none
 */
export function command<const Type extends string, Schema extends StandardSchemaV1>(
  type: Type,
  schema: Schema,
): CommandDefinition<Type, StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>> {
  return define('command', type, schema, 1)
}

/**
 * Defines an event: a function that checks its data once, and gives a frozen event. `type` is a stored contract: it never
 * changes once events are stored.
 *
 * @example
 * const MoneyDeposited = event('MoneyDeposited', shape<{ accountNumber: string; amount: number }>())
 * MoneyDeposited({ accountNumber: 'ACC123', amount: 5 })
 *
 * @throws {ValidationError} `invalid_message`, from the function that it gives, with every issue of the schema
 * @throws {DefinitionError} `invalid_definition` where `type`, `schema` or `schemaVersion` is none
 */
export function event<const Type extends string, Schema extends StandardSchemaV1>(
  type: Type,
  schema: Schema,
  options: EventOptions = {},
): EventDefinition<Type, StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>> {
  const unknown = Object.keys(options).find((key) => key !== 'schemaVersion')
  if (unknown !== undefined)
    throw new DefinitionError(`${type}: an event has the option schemaVersion, and not ${unknown}`)
  return define('event', type, schema, options.schemaVersion ?? 1)
}

function define<Kind extends MessageKind, Type extends string, Data, Input>(
  kind: Kind,
  type: Type,
  schema: StandardSchemaV1,
  schemaVersion: number,
): MessageDefinition<Kind, Type, Data, Input> {
  checkDefinition(kind, type, schema, schemaVersion)
  const typesOnly = isShape(schema)
  const sealed: SealedDefinition = { kind, type, schemaVersion }
  const copyOptions = { allowInstances: kind === 'command' }

  function make(input: unknown): SealedMessage {
    try {
      const data = typesOnly ? input : validated(type, schema, input)
      return new SealedMessage(sealed, flatImmutableCopy(data) ?? copied(type, data, copyOptions))
    } catch (error) {
      throw invalid(type, error)
    }
  }

  const extras = {
    kind,
    type,
    schema,
    schemaVersion,
    is: (message: unknown) => SealedMessage.definitionOf(message) === sealed,
    safe: (data: unknown) => {
      try {
        return { ok: true, value: make(data) }
      } catch (error) {
        // `make` throws nothing else.
        return { ok: false, error: error as ValidationError }
      }
    },
  }
  sealedOf.set(make, sealed)
  // The typed face of `make`: what a schema gives out is known to the type system only through the caller's type parameters.
  return Object.freeze(Object.assign(make, extras)) as unknown as MessageDefinition<Kind, Type, Data, Input>
}

const sealedOf = new WeakMap<object, SealedDefinition>()

/** The identity of a definition, which its messages carry; undefined where the value is no definition. */
export function sealedDefinitionOf(definition: unknown): SealedDefinition | undefined {
  return typeof definition === 'function' ? sealedOf.get(definition) : undefined
}

function checkDefinition(kind: MessageKind, type: unknown, schema: unknown, schemaVersion: unknown): void {
  if (typeof type !== 'string' || type.trim() === '') {
    throw new DefinitionError(`${kind}(type, schema) needs its type as a non-empty string`)
  }
  if (isReserved(type)) {
    throw new DefinitionError(`${kind} types that begin with "edict." are reserved: ${type}`)
  }
  const standard = (schema as Partial<StandardSchemaV1> | undefined | null)?.['~standard']
  if (typeof standard?.validate !== 'function') {
    throw new DefinitionError(
      `${kind}('${type}', schema) needs a Standard Schema (zod, valibot, arktype …) or shape<T>()`,
    )
  }
  if (!isWhole(schemaVersion, 1)) {
    throw new DefinitionError(`${type}: schemaVersion must be a whole number from 1`)
  }
}

function validated(type: string, schema: StandardSchemaV1, input: unknown): unknown {
  const path = protoKeyPath(input)
  if (path !== undefined) throw new ValidationError(type, [{ message: 'the key __proto__ is not allowed', path }])
  let result: ReturnType<StandardSchemaV1['~standard']['validate']>
  try {
    result = schema['~standard'].validate(input)
  } catch (cause) {
    throw new ValidationError(type, [{ message: `its schema threw: ${describeThrown(cause)}`, path: [] }], { cause })
  }
  if (isPromiseLike(result)) {
    // The promise is dropped; a rejection of it must not kill the process.
    Promise.resolve(result).catch(() => undefined)
    throw new ValidationError(type, [
      { message: 'its schema is asynchronous: check such things in middleware or in a command handler', path: [] },
    ])
  }
  if (result.issues) throw new ValidationError(type, result.issues.map(plainIssue))
  return result.value
}

function plainIssue(issue: StandardSchemaV1.Issue): Issue {
  // Some libraries give a list of a class of their own, whose `map` would give another one.
  const path = Array.from(issue.path ?? [], (segment) => (typeof segment === 'object' ? segment.key : segment))
  return { message: issue.message, path }
}

function copied(type: string, data: unknown, options: { readonly allowInstances: boolean }): unknown {
  const result = immutableCopy(data, options)
  if ('value' in result) return result.value
  throw new ValidationError(type, [result.issue], 'cause' in result ? { cause: result.cause } : {})
}

/** What was thrown as a message was made, which may be an accessor's or a proxy's of the data, as a refusal of that data. */
function invalid(type: string, thrown: unknown): ValidationError {
  try {
    if (thrown instanceof ValidationError) return thrown
  } catch {
    // What the data threw is a proxy that throws when it is asked what it is.
  }
  return new ValidationError(type, [{ message: `it cannot be read: ${describeThrown(thrown)}`, path: [] }], {
    cause: thrown,
  })
}
