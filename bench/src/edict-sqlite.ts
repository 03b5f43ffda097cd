// What is measured is the built package, as its users load it.
// eslint-disable-next-line no-restricted-imports -- it is JavaScript already
export * from '../../dist/sqlite/index.js'
