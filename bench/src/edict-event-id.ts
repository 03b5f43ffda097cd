// The bare loop makes its ids by the same function as Edict.
// eslint-disable-next-line no-restricted-imports -- it is JavaScript already
export { EventIdSeed } from '../../dist/messages/event-id.js'
