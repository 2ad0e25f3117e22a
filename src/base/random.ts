import { randomBytes, randomUUID } from 'node:crypto'

/** Randomness that is not key material: ids, nonces of the protocol. Passed in, so that tests can hold it. */
export interface Random {
  bytes(count: number): Buffer
  /** A random (version 4) UUID in lower case with dashes. */
  uuid(): string
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
}
