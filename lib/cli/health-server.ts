import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describeThrown } from '../errors.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-code.ts'

/** What `/health/live` and `/health/ready` are answered by: `ok` decides between 200 and 503, and all of it is the JSON answer. */
export interface Health {
  live(): HealthAnswer
  ready(): Promise<HealthAnswer>
}

export interface HealthAnswer {
  readonly ok: boolean
  readonly body: object
}

export interface HealthServer {
  readonly port: number
  close(): void
}

/** @throws {CliError} where it cannot listen there */
export async function healthServer(health: Health, port: number, host: string): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { method, url = '' } = request
    const [path] = url.split('?')
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      answer(response, 405, { error: 'only GET and HEAD' })
    } else if (path === '/health/live') answerHealth(response, health.live())
    else if (path === '/health/ready') {
      health.ready().then(
        (given) => answerHealth(response, given),
        (thrown: unknown) => answer(response, 503, { status: 'not-ready', reasons: [describeThrown(thrown)] }),
      )
    } else answer(response, 404, { error: 'there are /health/live and /health/ready' })
  })
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (thrown) {
    throw new CliError(`it cannot listen on ${host}:${port}: ${describeThrown(thrown)}`, EXIT.usage, { cause: thrown })
  }
  return {
    // One that listens on a port has such an address.
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function answerHealth(response: ServerResponse, { ok, body }: HealthAnswer): void {
  answer(response, ok ? 200 : 503, body)
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}
