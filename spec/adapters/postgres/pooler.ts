import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const STATEMENT_TIMEOUT = 'statement_timeout'
const MESSAGE = 'unsupported startup parameter: statement_timeout'

/**
 * Stands before a server as a pooler in transaction mode does, as far as one connection shows it: it refuses the settings of a session
 * that such a pooler refuses, and fails where a statement would leave something behind in a session.
 */
export async function withPooler(server: string, work: (connectionString: string) => Promise<void>): Promise<void> {
  const url = new URL(server)
  const { hostname, port } = url
  const open = new Set<Socket>()
  const broken: string[] = []
  const pooler = createServer((client) => {
    const behind = connect(Number(port), hostname)
    for (const socket of [client, behind]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => [client, behind].forEach((each) => each.destroy()))
    }
    client.once('data', (startup) => {
      if (startup.includes(STATEMENT_TIMEOUT)) {
        client.end(refusal())
        return
      }
      behind.write(startup)
      let pending = Buffer.alloc(0)
      client.on('data', (data) => {
        behind.write(data)
        pending = Buffer.concat([pending, data])
        // A message is a letter, its length but for the letter, and what it says.
        while (pending.length >= 5 && pending.length > pending.readInt32BE(1)) {
          const end = 1 + pending.readInt32BE(1)
          const found = SESSION_STATE.exec(pending.toString('latin1', 0, 1) + pending.toString('latin1', 5, end))
          if (found !== null) broken.push(found[0])
          pending = pending.subarray(end)
        }
      })
    })
    behind.pipe(client)
  })
  await new Promise<void>((resolve) => pooler.listen(0, '127.0.0.1', resolve))
  url.port = String((pooler.address() as AddressInfo).port)
  try {
    await work(url.href)
  } finally {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => pooler.close(resolve))
  }
  if (broken.length > 0) throw new Error(`left something in the session: ${broken.join(', ')}`)
}

/** What would stay behind in a session that somebody else gets next: a setting, a subscription, a lock, a prepared statement. */
const SESSION_STATE = /^(?:Q|P\0)(?:SET (?!LOCAL)|LISTEN|PREPARE|CREATE TEMP|.*pg_advisory_lock).*|^P[^\0]+/s

function refusal(): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${MESSAGE}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
