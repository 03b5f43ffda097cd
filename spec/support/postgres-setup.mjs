import { createServer } from 'node:net'
import { tsImport } from 'tsx/esm/api'

/**
 * Opens a door behind which the specs, whatever process they run in, find one PostgreSQL server for the whole run. It is started
 * for the first who asks, so that a run of other specs does not wait for it.
 */
export default async function setUp() {
  if (process.env.EDICT_TEST_POSTGRES !== undefined) return
  let server
  const start = async () => {
    const { startPostgres } = await tsImport('./postgres-server.ts', import.meta.url)
    return startPostgres()
  }
  const door = createServer((socket) => {
    socket.on('error', () => undefined)
    server ??= start()
    server.then(
      ({ connectionString }) => socket.end(connectionString),
      (error) => socket.end(`${error.message}: ${error.cause}`),
    )
  })
  await new Promise((resolve, reject) => {
    door.once('error', reject)
    door.listen(0, '127.0.0.1', resolve)
  })
  door.unref()
  process.env.EDICT_TEST_POSTGRES_DOOR = String(door.address().port)
  globalThis.edictPostgres = {
    close: async () => {
      door.close()
      const started = await server?.catch(() => undefined)
      await started?.stop()
    },
  }
}
