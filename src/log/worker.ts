import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { startListener } from '../listener/listener.ts'
import { LogThread } from './log-thread.ts'
import type { FromLog, LogThreadData, ToLog } from './messages.ts'
import { logPage } from './pages.ts'

const port = parentPort
if (port === null) throw new Error('the log runs in a worker thread')
const data: LogThreadData = workerData
const asked = new Map<number, PromiseWithResolvers<Buffer>>()
let count = 0

const post = (message: FromLog) => port.postMessage(message)

function sign(text: string, ed25519?: Buffer): Promise<Buffer> {
  const answer = Promise.withResolvers<Buffer>()
  count += 1
  asked.set(count, answer)
  post({ kind: 'sign', id: count, text, ed25519 })
  return answer.promise
}

function signed({ id, signature, reason }: ToLog & { kind: 'signature' }): void {
  if (signature !== undefined) asked.get(id)?.resolve(Buffer.from(signature))
  else asked.get(id)?.reject(new Error(reason ?? 'it is not signed'))
  asked.delete(id)
}

function listen(thread: LogThread) {
  if (data.listen === undefined) return undefined
  const options = {
    logs: thread.logs,
    publicKey: Buffer.from(data.publicKey),
    mlDsaPublicKey: Buffer.from(data.mlDsaPublicKey),
    witnessed: () => thread.witnessed(),
  }
  const { tls, insecurePlaintext } = data
  return startListener({
    ...data.listen,
    tls: tls && { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) },
    insecurePlaintext,
    // Nothing that is asked for here has a body.
    limits: { bodyBytes: 0, unsignedBodyBytes: 0 },
    clock: systemClock,
    onRequest: (request, reply) => reply(logPage(options, request)),
    health: () => ({ status: 200, body: '{"status":"ok"}' }),
    log: (line) => post({ kind: 'log', line: `log: ${line}` }),
  })
}

try {
  const thread = new LogThread(data, { post, sign })
  const listener = await listen(thread)
  thread.endpoint = listener?.endpoint
  port.on('message', (message: ToLog) => {
    if (message.kind === 'signature') return signed(message)
    void Promise.all([listener?.drain(), thread.close()]).then(() => port.close())
  })
  post({ kind: 'ready', endpoint: listener?.endpoint })
  await thread.run()
} catch (error) {
  post({ kind: 'refused', reason: error instanceof Error ? error.message : String(error) })
  port.close()
}
