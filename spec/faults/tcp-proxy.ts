import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

interface Passage {
  readonly near: Socket
  readonly far: Socket
  /** Neither side hears of the other any more, nor of its end. */
  deaf: boolean
}

/** A network between a store and its database, which can fail as networks do. */
export class TcpProxy {
  readonly port: number
  readonly #server: Server
  readonly #passages = new Set<Passage>()
  #opened = 0

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (near) => {
      this.#open(near, connect(targetPort, '127.0.0.1'))
    })
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return new TcpProxy(server, targetPort)
  }

  /** How many connections there have ever been. */
  get opened(): number {
    return this.#opened
  }

  /** The connection string of what is behind it. */
  through(connectionString: string): string {
    const url = new URL(connectionString)
    url.host = `127.0.0.1:${this.port}`
    return url.href
  }

  #open(near: Socket, far: Socket): void {
    this.#opened++
    const passage: Passage = { near, far, deaf: false }
    this.#passages.add(passage)
    this.#pass(passage, near, far)
    this.#pass(passage, far, near)
  }

  #pass(passage: Passage, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (!passage.deaf) to.write(bytes)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      if (passage.deaf) return
      this.#passages.delete(passage)
      to.destroy()
    })
  }

  /** Every connection there is stays open, and loses all bytes from now on. New ones are good. */
  deafen(): void {
    for (const passage of this.#passages) passage.deaf = true
  }

  /** Every connection there is ends at once. */
  cut(): void {
    for (const { near, far } of this.#passages) {
      near.destroy()
      far.destroy()
    }
    this.#passages.clear()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    this.cut()
    await closed
  }
}
