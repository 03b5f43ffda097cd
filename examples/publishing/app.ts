import process from 'node:process'
import { NewsWireInMemory } from './domain/news-wire.ts'
import { publishing } from './publishing.ts'

/** For `edict`, which starts it; so this module does not. */
export default publishing(process.env['PUBLISHING_FILE'] ?? 'publishing.db', { newsWire: new NewsWireInMemory() })
