// The bounds that every store keeps to, so that what one of them stores can move to any other. Counted in UTF-16 units, as
// `length` does. With a command id beside it, a stream id still fits an index entry of PostgreSQL (2,704 bytes).

/** The longest stream id. */
export const MAX_STREAM_ID_LENGTH = 512

/** The longest id of an event or a command, type, category, content type, tenant, owner, and name of a checkpoint. */
export const MAX_NAME_LENGTH = 255

/** How many events a reading of a stream, or of all of them, gives at most where it does not say it. */
export const DEFAULT_MAX_COUNT = 1_000
