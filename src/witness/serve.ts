import type { Clock } from '../base/clock.ts'
import { vkeyText } from '../journal/note-keys.ts'
import { type Listener, startListener } from '../listener/listener.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import type { WitnessState } from './state.ts'
import type { Witness, WitnessAnswer } from './witness.ts'

export type WitnessListen = {
  readonly host: string
  readonly port: number
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  readonly insecurePlaintext: boolean
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** Serves a witness: `POST /add-checkpoint`, `GET /<digest>/checkpoint`, and `GET /`, which tells its key. */
export function serveWitness(
  witness: Witness,
  state: WitnessState,
  listen: WitnessListen,
): Promise<Listener> {
  return startListener({
    ...listen,
    // No body comes near that: 63 hashes and a checkpoint.
    limits: { bodyBytes: 64 * 1024 },
    onRequest: (request, reply) => reply(answerOf(witness, state, request, listen.log)),
    health: () => ({ status: 200, body: '{"status":"ok"}' }),
  })
}

const plain = 'text/plain; charset=utf-8'

function answerOf(
  witness: Witness,
  state: WitnessState,
  request: HttpRequest,
  log: (line: string) => void,
): Reply {
  try {
    return replyOf(route(witness, state, request))
  } catch (error) {
    // Without its state a witness must not say anything.
    log(`the witness failed: ${error instanceof Error ? error.message : String(error)}`)
    return replyOf({ status: 500, type: plain, body: 'the witness failed\n' })
  }
}

function route(witness: Witness, state: WitnessState, request: HttpRequest): WitnessAnswer {
  const { method, target, body } = request
  const isPost = target === '/add-checkpoint'
  const digest = /^\/([0-9a-f]{64})\/checkpoint$/.exec(target)?.[1]
  if (!isPost && digest === undefined && target !== '/') {
    return { status: 404, type: plain, body: 'there is nothing here\n' }
  }
  if (method !== (isPost ? 'POST' : 'GET')) {
    return { status: 405, type: plain, body: `${isPost ? 'POST' : 'GET'} alone\n` }
  }
  if (isPost) return witness.add(body)
  if (digest !== undefined) return witness.latest(digest)
  return { status: 200, type: plain, body: `${vkeyText(state.key)}\n` }
}

function replyOf({ status, type, body }: WitnessAnswer): Reply {
  // As bytes: notes are UTF-8.
  const bytes = Buffer.from(body)
  const headers = [
    ...['Content-Type', type],
    ...['Content-Length', String(bytes.length)],
    ...['Cache-Control', 'no-store'],
  ]
  return {
    status,
    headers: status === 405 ? [...headers, 'Allow', body.split(' ')[0] ?? ''] : headers,
    body: bytes,
  }
}
