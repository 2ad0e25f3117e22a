import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Frees what nothing refers to, for tests that look for what is kept. */
export function collectGarbage(): void {
  collect()
}
