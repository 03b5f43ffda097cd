import { relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import vm from 'node:vm'
import { build as bundle } from 'esbuild'
import { build } from './build.mjs'
import { fromRoot, root } from './root.mjs'

// What the core should weigh one day, and what it must not outgrow until then: the target is missed, and said to be. An application
// carries what it uses: handlers, process managers, the audit trail and others bring their own weight.
const targetInBytes = 20_480
const ceilings = { core: 71_680, everything: 120_832 }
const CORE = ['aggregate', 'application', 'command', 'event', 'inMemoryEventStore', 'router', 'shape']
const external = ['immer', 'uuid', 'p-timeout', 'eventemitter3', '@standard-schema/spec']

const bundled = async (options) => {
  const { outputFiles } = await bundle({
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    target: 'es2023',
    logLevel: 'warning',
    ...options,
  })
  return outputFiles[0].text
}

const inTime = (promise, milliseconds) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// What a browser's global scope offers, and nothing of Node's.
const webGlobals = () => ({
  AbortController,
  AbortSignal,
  DOMException,
  Event,
  EventTarget,
  MessageChannel,
  TextDecoder,
  TextEncoder,
  URL,
  clearInterval,
  clearTimeout,
  console,
  crypto,
  performance,
  queueMicrotask,
  setInterval,
  setTimeout,
  structuredClone,
})

build()

/** What is loaded at first: what an application imports later, when it is asked for it, is not carried by those who never ask. */
const weigh = async ({ entryPoint: wanted, ...entry }) => {
  const { outputFiles, metafile } = await bundle({
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'bundle',
    platform: 'browser',
    target: 'es2023',
    format: 'esm',
    logLevel: 'warning',
    external,
    ...entry,
  })
  const texts = new Map(outputFiles.map(({ path, text }) => [relative(root, path), text]))
  const [first] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === wanted)
  const loaded = new Set([first])
  for (const path of loaded) {
    for (const { path: imported, kind } of metafile.outputs[path].imports) {
      if (kind === 'import-statement' && texts.has(imported)) loaded.add(imported)
    }
  }
  return gzipSync([...loaded].map((path) => texts.get(path)).join(''), { level: 9 }).length
}
const core = await weigh({
  stdin: { contents: `export { ${CORE.join(', ')} } from './dist/index.js'`, resolveDir: root },
  entryPoint: '<stdin>',
})
const everything = await weigh({ entryPoints: [fromRoot('dist/index.js')], entryPoint: 'dist/index.js' })
const verdict = core <= targetInBytes ? 'met' : `missed by ${core - targetInBytes}`
console.log(`size: ${core} bytes gzipped (target ${targetInBytes}: ${verdict}; ceiling ${ceilings.core})`)
console.log(`size: ${everything} bytes gzipped with all that edict exports (ceiling ${ceilings.everything})`)

const browser = await bundled({ entryPoints: [fromRoot('scripts/smoke/browser.mjs')], format: 'iife' })
console.log(`size: ${gzipSync(browser, { level: 9 }).length} bytes gzipped with its dependencies and the smoke script`)
const context = vm.createContext(webGlobals())
vm.runInContext(browser, context, { filename: 'browser-bundle.js', timeout: 10_000 })
console.log(`browser: ${await inTime(context.smoke, 10_000)}`)

for (const [name, size] of Object.entries({ core, everything })) {
  if (size <= ceilings[name]) continue
  console.error(`${name} is ${size - ceilings[name]} bytes over its ceiling.`)
  process.exitCode = 1
}
