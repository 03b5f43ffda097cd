import js from '@eslint/js'
import jsdoc from 'eslint-plugin-jsdoc'
import tseslint from 'typescript-eslint'

const typescriptFiles = ['lib/**/*.ts', 'spec/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts']
const scriptFiles = ['**/*.js', '**/*.mjs']

const kebabCaseFileNames = {
  meta: { type: 'suggestion', schema: [], messages: { name: 'File name "{{name}}" is not in kebab-case' } },
  create: (context) => ({
    Program(node) {
      const name = context.filename.split(/[\\/]/).at(-1)
      if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/.test(name))
        context.report({ node, messageId: 'name', data: { name } })
    },
  }),
}

const onlyEffectsKnowTime = 'Time, timers, ids and randomness come in through lib/effects.'
const coreIsPortable = 'The core runs in browsers and workers as well as in Node.'

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', 'coverage/', '.tmp/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: scriptFiles,
    extends: [js.configs.recommended],
    rules: { 'no-undef': 'off' },
  },
  {
    files: typescriptFiles,
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { house: { rules: { 'kebab-case-file-names': kebabCaseFileNames } } },
    rules: {
      eqeqeq: 'error',
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^\\.{1,2}/.*(?<!\\.ts)$', message: 'Name the .ts file.' }] },
      ],
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'house/kebab-case-file-names': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      // What user code throws is handed on as it is, whatever it is.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A builder's type parameters often appear once, in a constraint; `void` is a fair answer of a handler.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-empty-object-type': [
        'error',
        { allowInterfaces: 'with-single-extends', allowObjectTypes: 'always' },
      ],
      // A contract that is asynchronous may be met without waiting.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['lib/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'ExportAllDeclaration:not([exported])', message: 'Name what is exported.' },
      ],
      'no-restricted-globals': [
        'error',
        ...[
          'process',
          'Buffer',
          'global',
          'require',
          'setImmediate',
          'clearImmediate',
          'window',
          'document',
          'self',
          'event',
          'name',
        ].map((name) => ({ name, message: coreIsPortable })),
      ],
      'jsdoc/check-alignment': 'error',
      'jsdoc/check-param-names': 'error',
      'jsdoc/check-tag-names': 'error',
      'jsdoc/empty-tags': 'error',
      'jsdoc/no-types': 'error',
    },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/effects/**', 'lib/adapters/**', 'lib/cli/**', 'lib/inspector/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: onlyEffectsKnowTime },
        { object: 'Math', property: 'random', message: onlyEffectsKnowTime },
        { object: 'performance', property: 'now', message: onlyEffectsKnowTime },
        { object: 'crypto', property: 'randomUUID', message: onlyEffectsKnowTime },
        { object: 'crypto', property: 'getRandomValues', message: onlyEffectsKnowTime },
      ],
    },
  },
  {
    files: ['spec/**/*.ts'],
    rules: {
      // Specs hand over garbage on purpose, and look at what came of it.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // The peers of a benchmark are installed there, not here: their types may be missing.
    files: ['bench/**/*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
    rules: { '@typescript-eslint/no-explicit-any': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
