import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const STATEMENT_TIMEOUT = 'statement_timeout'
const MESSAGE = 'unsupported startup parameter: statement_timeout'

/**
 * Stands before a server as a pooler in transaction mode does, as far as one connection shows it: it refuses the settings of a session
 * that such a pooler refuses, and statements that would leave something in a session end the connection.
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
      client.on('data', (data) => {
        const found = SESSION_STATE.exec(data.toString('latin1'))
        if (found !== null) broken.push(found[0])
        behind.write(data)
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

/** What would stay behind in a session that somebody else gets next; a parse message names a prepared statement after its length. */
const SESSION_STATE =
  /\bLISTEN\b|\bSET (?!LOCAL)(?=\w+ (?:=|TO))|pg_advisory_lock|\bCREATE TEMP|\bPREPARE\b|P\0[\s\S]{3}[^\0]/

function refusal(): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${MESSAGE}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
