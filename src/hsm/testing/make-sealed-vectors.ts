/**
 * Made `tests/vectors/blobs/sealed-v1.json` with the hierarchy that stands beside it. Never overwrites it: a new format
 * gets vectors of its own.
 */
import { chmodSync, cpSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInProcessCore } from '../in-process.ts'
import type { SealPurpose } from '../port.ts'
import { sourceDirectory } from './child.ts'

const vectors = join(dirname(sourceDirectory), 'tests/vectors')
const file = join(vectors, 'blobs/sealed-v1.json')
if (existsSync(file)) throw new Error(`${file} is there already`)

const directory = mkdtempSync(join(tmpdir(), 'kagiban-vectors-'))
cpSync(join(vectors, 'hsm-v1'), directory, { recursive: true })
chmodSync(join(directory, 'root.key'), 0o600)
const hsm = createInProcessCore(directory)

const texts: readonly (readonly [SealPurpose, string, Buffer])[] = [
  ['session', 'ASIAIOSFODNN7EXAMPLE', Buffer.from('{"version":1}')],
  ['session', 'ASIAIOSFODNN7EXAMPLE', Buffer.alloc(0)],
  ['authorization-message', '111122223333', Buffer.alloc(16 * 1024, 'k')],
  ['authorization-message', '鍵番', Buffer.from('not ASCII')],
]
const made: object[] = []
for (const [purpose, owner, plaintext] of texts) {
  const sealed = await hsm.seal(purpose, owner, plaintext)
  const text = { plaintext: plaintext.toString('base64'), sealed: sealed.toString('base64') }
  made.push({ purpose, owner, ...text })
}
writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`)
hsm.close()
