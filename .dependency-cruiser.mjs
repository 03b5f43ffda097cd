// The house: imports run downward only, type imports included. From the ground up; folders on one floor do not know
// each other, and a folder may import itself and every floor below it, unless a rule further down says less.
const floors = [
  ['errors.ts'],
  ['effects'],
  ['messages'],
  ['telemetry'],
  ['event-store'],
  ['audit'],
  ['aggregate', 'adapters'],
  ['routing'],
  ['dispatch'],
  ['unit-of-work'],
  ['subscribers'],
  ['queue', 'batches'],
  ['application'],
  ['inspector'],
  ['cli'],
  // The entrances of the package: beside each other, and none through another.
  ['index.ts', 'projections', 'recurring', 'sqlite', 'postgres', 'opentelemetry'],
]

// Published for tests: it stands outside the house, and leans on its floors up to the application. Of the stores it knows the one in
// memory, which tests empty.
const testing = 'testing'
const testingMayImport = [
  'errors.ts',
  'effects',
  'messages',
  'event-store',
  'aggregate',
  'adapters/in-memory',
  'routing',
  'dispatch',
  'subscribers',
  'queue',
  'application',
]

// A store knows events, or what is written down of commands, and nothing of how they are dispatched.
const adaptersMayImport = ['errors.ts', 'effects', 'messages', 'event-store', 'audit']

// Where Node's own modules may be named. Everything else runs in a browser.
const nodeIsAllowedIn = ['^lib/adapters/(?!in-memory/)', '^lib/(sqlite|postgres)/', '^lib/cli/', '^lib/inspector/']

const escape = (name) => name.replaceAll('.', '[.]')
const within = (names) =>
  `^lib/(${names.map((name) => (name.endsWith('.ts') ? `${escape(name)}$` : `${name}/`)).join('|')})`

const floorRules = floors.flatMap((floor, level) =>
  floor.map((name) => {
    const forbidden = [...floor.filter((other) => other !== name), ...floors.slice(level + 1).flat(), testing]
    return {
      name: `imports-run-downward: ${name}`,
      comment: `lib/${name} may import itself and the floors below it`,
      severity: 'error',
      from: { path: within([name]) },
      to: { path: within(forbidden) },
    }
  }),
)

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...floorRules,
    {
      name: 'testing-leans-on-floors',
      severity: 'error',
      from: { path: within([testing]) },
      to: { path: '^lib/', pathNot: within([testing, ...testingMayImport]) },
    },
    {
      name: 'adapters-know-only-events',
      severity: 'error',
      from: { path: within(['adapters']) },
      to: { path: '^lib/', pathNot: within(['adapters', ...adaptersMayImport]) },
    },
    {
      name: 'adapters-do-not-know-each-other',
      severity: 'error',
      from: { path: '^lib/adapters/([^/]+)/' },
      to: { path: '^lib/adapters/', pathNot: '^lib/adapters/$1/' },
    },
    {
      name: 'drivers-stay-behind-their-entrance',
      comment: 'whoever imports edict alone loads no driver, and needs no types of one',
      severity: 'error',
      from: { path: '^lib/', pathNot: ['^lib/adapters/', '^lib/(sqlite|postgres)/'] },
      to: { path: '^lib/adapters/(?!in-memory/)' },
    },
    {
      name: 'every-file-is-on-a-floor',
      comment: 'a new folder in lib/ gets its floor in .dependency-cruiser.mjs',
      severity: 'error',
      from: { path: '^lib/', pathNot: within([...floors.flat(), testing]) },
      to: {},
    },
    {
      name: 'every-file-is-on-a-floor: imported',
      severity: 'error',
      from: {},
      to: { path: '^lib/', pathNot: within([...floors.flat(), testing]) },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { path: '^lib/', orphan: true },
      to: {},
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-is-free-of-node',
      severity: 'error',
      from: { path: '^lib/', pathNot: nodeIsAllowedIn },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'lib-imports-its-dependencies-only',
      severity: 'error',
      from: { path: '^lib/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      from: { path: '^lib/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'examples-use-the-package',
      comment: "examples import 'edict' and its subpaths, as a user does",
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(lib|spec|bench)/', pathNot: '^lib/(index|[a-z-]+/index)[.]ts$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|bench/node_modules)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
}
