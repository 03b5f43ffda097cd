import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { Application } from '../application/application-type.ts'
import { insideOf, runningApplications, type ApplicationInside } from '../application/inside.ts'
import { describeThrown } from '../errors.ts'
import { CliError, notFound, usageError } from './cli-error.ts'
import { EXIT } from './exit-code.ts'

/** An application that a module gave, not started. */
export interface LoadedApplication {
  readonly application: Application<unknown>
  readonly inside: ApplicationInside
}

/** Loads what a module exports as its default: an application, or a function that gives one. */
export async function loadApplication(file: string, folder: string): Promise<LoadedApplication> {
  const path = resolve(folder, file)
  if (!(await isFile(path))) throw notFound(`there is no file ${path}, which is to hold the application`)
  const application = await given(await defaultExport(path), file)
  const inside = insideOf(application)
  if (!isApplication(application) || inside === undefined) {
    throw usageError(
      `the default export of ${file} is no application, nor a function that gives one: export default application({ … }). ` +
        'Where it is one, that was made by another copy of edict than this one: run the edict of the same project (npx edict)',
    )
  }
  if (runningApplications.has(inside.name)) {
    throw usageError(
      `the application ${inside.name} runs already: ${file} starts it itself. Export it without starting it, and start it ` +
        'where it is used; edict starts it, or looks into its store without',
    )
  }
  return { application, inside }
}

function isApplication(value: unknown): value is Application<unknown> {
  return insideOf(value) !== undefined
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

async function defaultExport(path: string): Promise<unknown> {
  try {
    if (/^\.[cm]?tsx?$/.test(extname(path))) await prepareForTypeScript(path)
    const loaded: unknown = await import(pathToFileURL(path).href)
    const exported = defaultOf(loaded)
    // What a compiler makes CommonJS of has its default export within what CommonJS exports.
    return insideOf(exported) === undefined ? (defaultOf(exported) ?? exported) : exported
  } catch (thrown) {
    if (thrown instanceof CliError) throw thrown
    throw new CliError(`${path} cannot be loaded: ${describeThrown(thrown)}${loadingHint(thrown)}`, EXIT.usage, {
      cause: thrown,
    })
  }
}

function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'default' in value ? value.default : undefined
}

async function given(exported: unknown, file: string): Promise<unknown> {
  try {
    return await (typeof exported === 'function' ? (exported as () => unknown)() : exported)
  } catch (thrown) {
    throw new CliError(`the function that ${file} exports gave no application: ${describeThrown(thrown)}`, EXIT.usage, {
      cause: thrown,
    })
  }
}

/** Node itself reads TypeScript, or tsx, which the user may have installed. */
async function prepareForTypeScript(path: string): Promise<void> {
  const { features } = process as { readonly features: { readonly typescript?: unknown } }
  if (features.typescript || import.meta.url.endsWith('.ts')) return
  let found: string
  try {
    found = createRequire(path).resolve('tsx')
  } catch {
    throw usageError(
      `${path} is TypeScript, which Node ${process.versions.node} does not run by itself. Install tsx beside the application ` +
        '(npm install --save-dev tsx), use Node 22.18 or newer, or name a compiled .js file',
    )
  }
  // From now on Node loads TypeScript in this process, as by node --import tsx.
  await import(pathToFileURL(found).href)
}

/** What can be done where a module cannot be loaded, after the reason; an empty text where nobody knows. */
export function loadingHint(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `\nNode only strips types. With tsx installed, NODE_OPTIONS='--import tsx' runs the rest of TypeScript too`
  }
  // As npm init writes it; Node names neither the file nor what to write instead, where types are stripped.
  const isTakenForCommonJs = /^(?:Cannot use import statement outside a module|Unexpected token 'export')/
  return thrown instanceof Error && isTakenForCommonJs.test(thrown.message)
    ? '\nIt is taken for CommonJS: say "type": "module" in the nearest package.json, or name the file .mts or .mjs'
    : ''
}
