import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export interface Diagnostic {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Compiles modules that are not on disk, all in one program, as the repository's own tsconfig.json has it. */
export function typeCheck(modules: ReadonlyMap<string, string>): readonly Diagnostic[] {
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => modules.has(path) || fileExists(path)
  host.readFile = (path) => modules.get(path) ?? readFile(path)
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const source = modules.get(path)
    if (source === undefined) return getSourceFile(path, languageVersion, ...rest)
    return ts.createSourceFile(path, source, languageVersion)
  }
  const program = ts.createProgram([...modules.keys()], options, host)
  const diagnostics: Diagnostic[] = []
  for (const path of modules.keys()) {
    const file = program.getSourceFile(path)
    if (file === undefined) throw new Error(`${path} is not in the program`)
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    diagnostics.push(
      ...found.map(({ start = 0, messageText }) => ({
        path,
        line: file.getLineAndCharacterOfPosition(start).line + 1,
        message: ts.flattenDiagnosticMessageText(messageText, '\n'),
      })),
    )
  }
  return diagnostics
}

function compilerOptions(): ts.CompilerOptions {
  const path = join(repository, 'tsconfig.json')
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown }
  const given = { ...(config as object), include: [], files: [] }
  const { options } = ts.parseJsonConfigFileContent(given, ts.sys, dirname(path), undefined, path)
  // Nothing is emitted, and what the modules lean on is named by its full path.
  return { ...options, rewriteRelativeImportExtensions: false }
}
