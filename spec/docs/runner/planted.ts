// Pages that do not keep what they promise, one for each rule: the runner has to see it.

interface Planted {
  readonly rule: string
  readonly markdown: string
  /** What the runner says, and of which line. */
  readonly says: string
  readonly line: number
}

function page(...lines: readonly string[]): string {
  return lines.join('\n')
}

const commands = [
  '```ts',
  `import { aggregate, command, router, shape } from 'edict'`,
  `const Open = command('Open', shape<{ id: string }>())`,
  `const Door = aggregate('Door', {`,
  '  commands: [Open], events: [], initialState: () => ({}), execute: { Open: () => undefined }, apply: {},',
  '})',
  '```',
] as const

export const planted: readonly Planted[] = [
  {
    rule: 'a snippet compiles',
    markdown: page('# Page', '', '```ts', `const text: string = 5`, '```'),
    says: `does not compile: Type 'number' is not assignable to type 'string'`,
    line: 4,
  },
  {
    rule: 'a later snippet uses what an earlier one has, and nothing else',
    markdown: page('```ts', 'const one = 1', '```', '', '```ts', 'console.log(one + two)', '```'),
    says: `Cannot find name 'two'`,
    line: 6,
  },
  {
    rule: 'a snippet runs to its end',
    markdown: page('', '```ts', `throw new TypeError('broken on purpose')`, '```'),
    says: 'it throws: TypeError: broken on purpose',
    line: 3,
  },
  {
    rule: 'a snippet leaves no failure behind',
    markdown: page('```ts', `void Promise.reject(new TypeError('left behind'))`, '```'),
    says: 'it throws: TypeError: left behind',
    line: 2,
  },
  {
    rule: 'a value is what the page says',
    markdown: page('```ts', 'const sum = 2 + 2', 'sum // => 5', '```'),
    says: 'the page says 5, and it is 4',
    line: 3,
  },
  {
    rule: 'a constant is what the page says',
    markdown: page('```ts', 'const sum = [2, 2] // => [2, 2, 4]', '```'),
    says: 'the page says [2,2,4], and it is [2,2]',
    line: 2,
  },
  {
    rule: 'an object has no key that the page does not say',
    markdown: page('```ts', 'console.log({ a: 1, b: { c: 2 } }) // => { a: 1, b: {} }', '```'),
    says: 'and it is {"a":1,"b":{"c":2}}',
    line: 2,
  },
  {
    rule: 'an object has every key that the page says, also where there may be more',
    markdown: page('```ts', 'console.log({ a: 1, b: 2 }) // => { c: 1, … }', '```'),
    says: 'and it is {"a":1,"b":2}',
    line: 2,
  },
  {
    rule: 'an error has the code that the page says',
    markdown: page('```ts', `import { reject } from 'edict'`, `reject('') // throws invalid_option`, '```'),
    says: 'the page says that it throws invalid_option, and it throws DefinitionError',
    line: 3,
  },
  {
    rule: 'what throws does throw',
    markdown: page('```ts', `import { reject } from 'edict'`, `reject('fine') // throws invalid_definition`, '```'),
    says: 'the page says that it throws invalid_definition, and it gives',
    line: 3,
  },
  {
    rule: 'a claim stands behind a statement',
    markdown: page('```ts', 'const list = [', '  1, // => 1', ']', 'console.log(list)', '```'),
    says: 'nothing stands before "// => 1"',
    line: 3,
  },
  {
    rule: 'a claim is reached',
    markdown: page(
      '```ts',
      'const claim = () => {',
      '  const one = 1 // => 1',
      '  return one',
      '}',
      'claim satisfies () => number',
      '```',
    ),
    says: 'it makes 1 claims, of which 0 were reached once',
    line: 0,
  },
  {
    rule: 'a snippet that does not run says why',
    markdown: page('```ts no-run', 'setInterval(() => undefined, 1)', '```'),
    says: 'a no-run snippet begins with its reason',
    line: 1,
  },
  {
    rule: 'a snippet that does not run compiles',
    markdown: page(
      '```ts no-run',
      '// Not run: it would take for ever',
      'setInterval(() => undefined, 1).nothing()',
      '```',
    ),
    says: `Property 'nothing' does not exist`,
    line: 3,
  },
  {
    rule: 'a wrong snippet does not compile',
    markdown: page(...commands, '```ts wrong', '// error: Open has no "key"', `Open({ id: 'a' })`, '```'),
    says: '"Open has no "key"" is not said; it compiles',
    line: 9,
  },
  {
    rule: 'the compiler says the sentence that a wrong snippet quotes',
    markdown: page(
      ...commands,
      '```ts wrong',
      '// error: Open is unknown',
      `router('doors', (doors) => doors.dispatch(Open, { to: Door }))`,
      '```',
    ),
    says: '"Open is unknown" is not said; the compiler says: ',
    line: 9,
  },
  {
    rule: 'a wrong snippet quotes a sentence',
    markdown: page('```ts wrong', 'const one: string = 1', '```'),
    says: 'a wrong snippet quotes what the compiler says',
    line: 1,
  },
  {
    rule: 'a fence has a known mark',
    markdown: page('```ts nope', '```'),
    says: 'unknown mark "nope"',
    line: 1,
  },
  {
    rule: 'TypeScript is spelled ts',
    markdown: page('', '```typescript', 'const one = 1', '```'),
    says: 'write ts, not typescript',
    line: 2,
  },
  {
    rule: 'a snippet is not indented',
    markdown: page('- a list', '', '  ```ts', '  const one = 1', '  ```'),
    says: 'a ts snippet must not be indented',
    line: 3,
  },
  {
    rule: 'a fence is closed',
    markdown: page('```ts', 'const one = 1'),
    says: 'the fence is never closed',
    line: 1,
  },
]

/** A source file whose examples are wrong, and where. */
export const plantedDocstrings = [
  '/**',
  ' * @example',
  ` * await bankRouter.dispatch(DepositMoney({ accountNumber: 'ACC123', sum: 5 }))`,
  ' */',
  'export class Planted {',
  '  /**',
  '   * @example',
  `   * import { shape } from 'edict'`,
  '   *',
  '   * export const one: string = shape()',
  '   *',
  '   * @throws nothing',
  '   */',
  '  method(): void {}',
  '}',
].join('\n')

export const plantedDocstringProblems = [
  { line: 3, says: `'sum' does not exist` },
  { line: 10, says: `is not assignable to type 'string'` },
]

/** A page that keeps all that it promises. */
export const soundPage = page(
  ...commands,
  'Text.',
  '```ts',
  `const open = Open({ id: 'a' })`,
  `open // => { type: 'Open', data: { id: 'a' } }`,
  'console.log(open.data) // => { … }',
  `Open.type // => 'Open'`,
  'const list = [',
  '  open.type,',
  ']',
  `// => ['Open']`,
  `await Promise.reject(new TypeError('x')) // throws TypeError`,
  '```',
  '```ts no-run',
  '// Not run: it waits for a year',
  'setTimeout(() => list, 1)',
  '```',
  '```ts wrong',
  '// error: nothing is not among the commands of Door',
  `const nothing = command('nothing', shape<{ id: string }>())`,
  `router('doors', (doors) => doors.identify(Door, { by: 'id' }).dispatch(nothing, { to: Door }))`,
  '```',
  '```sh',
  'npm test',
  '```',
)
