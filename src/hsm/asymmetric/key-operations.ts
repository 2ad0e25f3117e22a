import type { KeyObject } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { internalError } from '../../base/errors.ts'
import type { AccountId } from '../../base/ids.ts'
import {
  algorithmsOf,
  type KeySpec,
  type MessageType,
  type RsaEncryptionAlgorithm,
  type SigningAlgorithm,
  signingRow,
} from '../key-specs.ts'
import type { Soon } from '../soon.ts'
import { Turns } from '../turns.ts'
import { agree, agreeLater, readPeer } from './key-agreement.ts'
import type { KeyPair } from './key-pair.ts'
import {
  signMessage,
  signMessageLater,
  verifyMessage,
  verifyMessageLater,
} from './native-signature.ts'
import { decryptOaep, encryptOaep } from './oaep.ts'
import { signDigest, verifyDigest } from './over-digest.ts'
import { placesOf } from './places.ts'
import { ownBytes, Threads } from './threads.ts'

export type PairOfSpec = KeyPair & {
  /** So that nothing is done with the pair that its spec does not have. */
  readonly spec: KeySpec
  /** In whose turn its operations wait. */
  readonly account: AccountId
}

type Scheme = ReturnType<typeof signingRow>['scheme']
type Way = 'message' | 'digest' | 'noble'

/** Which way each kind of message goes. */
const ways: Readonly<Record<Scheme, Partial<Readonly<Record<MessageType, Way>>>>> = {
  pss: { RAW: 'message', DIGEST: 'digest' },
  pkcs1: { RAW: 'message', DIGEST: 'digest' },
  ecdsa: { RAW: 'message', DIGEST: 'digest' },
  ed25519: { RAW: 'message' },
  ed25519ph: { DIGEST: 'noble' },
  'ml-dsa': { RAW: 'message', EXTERNAL_MU: 'noble' },
}

/** Each takes about 20 MB. */
const threadsMax = 4
const cryptoWaitingMax = 1024
/** These tasks take some ms of JavaScript each. */
const nobleWaitingMax = 64
const poolWaitingMax = 4096
/**
 * What keeps libuv's pool busy, also while this thread is waiting for a processor; more would only wait there, where
 * nobody's turn counts.
 */
const poolAtOnce = Math.max(16, 4 * availableParallelism())

/**
 * What is done with key pairs, where `places.ts` says. Buffers that go in may be overwritten as soon as a call has
 * returned, even when its result comes later.
 */
export class KeyOperations {
  readonly #cryptoThreads = new Threads(new URL('./crypto-thread.ts', import.meta.url), {
    atMost: Math.min(threadsMax, Math.max(1, availableParallelism() - 1)),
    waitingMax: cryptoWaitingMax,
  })
  readonly #nobleThread = new Threads(new URL('./noble-thread.ts', import.meta.url), {
    atMost: 1,
    waitingMax: nobleWaitingMax,
  })
  readonly #pool = new Turns({ atOnce: poolAtOnce, waitingMax: poolWaitingMax })

  /** See `Threads.startAll`. */
  startThreads(): void {
    this.#cryptoThreads.startAll()
    this.#nobleThread.startAll()
  }

  sign(
    { spec, account, privateKey }: PairOfSpec,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
  ): Soon<Buffer> {
    const way = wayOf(spec, algorithm, messageType, message)
    const { sign, signDigest: overDigest } = placesOf(spec)
    if (way === 'message' && sign === 'inline') return signMessage(privateKey, algorithm, message)
    if (way === 'message') {
      const kept = Buffer.from(message)
      return this.#pool.run(account, () => signMessageLater(privateKey, algorithm, kept))
    }
    if (way === 'digest' && overDigest === 'inline') {
      return signDigest(privateKey, algorithm, message)
    }
    const task = { kind: 'sign', key: privateKey, algorithm, message: ownBytes(message) } as const
    return this.#threadsOf(way).run(account, task).then(bytesOf)
  }

  verify(
    { spec, account, publicKey }: PairOfSpec,
    algorithm: SigningAlgorithm,
    messageType: MessageType,
    message: Buffer,
    signature: Buffer,
  ): Soon<boolean> {
    const way = wayOf(spec, algorithm, messageType, message)
    const { verify, verifyDigest: overDigest } = placesOf(spec)
    if (way === 'message' && verify === 'inline') {
      return verifyMessage(publicKey, algorithm, message, signature)
    }
    if (way === 'message') {
      const [kept, its] = [Buffer.from(message), Buffer.from(signature)]
      return this.#pool.run(account, () => verifyMessageLater(publicKey, algorithm, kept, its))
    }
    if (way === 'digest' && overDigest === 'inline') {
      return verifyDigest(publicKey, algorithm, message, signature)
    }
    const task = {
      kind: 'verify',
      key: publicKey,
      algorithm,
      message: ownBytes(message),
      signature: ownBytes(signature),
    } as const
    return this.#threadsOf(way).run(account, task).then(truthOf)
  }

  encrypt(
    { spec, publicKey }: PairOfSpec,
    algorithm: RsaEncryptionAlgorithm,
    plaintext: Buffer,
  ): Buffer {
    refuseOther(spec, 'ENCRYPT_DECRYPT', algorithm)
    return encryptOaep(publicKey, algorithm, plaintext)
  }

  decrypt(
    { spec, account, privateKey }: PairOfSpec,
    algorithm: RsaEncryptionAlgorithm,
    ciphertext: Buffer,
  ): Soon<Buffer> {
    refuseOther(spec, 'ENCRYPT_DECRYPT', algorithm)
    return placesOf(spec).decrypt === 'thread'
      ? this.open(account, privateKey, algorithm, ciphertext)
      : decryptOaep(privateKey, algorithm, ciphertext)
  }

  deriveSharedSecret(pair: PairOfSpec, peer: Buffer): Soon<Buffer> {
    const { spec, account, privateKey, publicKey } = pair
    refuseOther(spec, 'KEY_AGREEMENT', 'ECDH')
    const other = readPeer(publicKey, peer)
    return placesOf(spec).agree === 'pool'
      ? this.#pool.run(account, () => agreeLater(privateKey, other))
      : agree(privateKey, other)
  }

  /** RSAES-OAEP in a thread, with any RSA key, also one that is no KMS key's. */
  open(
    account: AccountId,
    key: KeyObject,
    algorithm: RsaEncryptionAlgorithm,
    ciphertext: Buffer,
  ): Promise<Buffer> {
    const task = { kind: 'decrypt', key, algorithm, message: ownBytes(ciphertext) } as const
    return this.#cryptoThreads.run(account, task).then(bytesOf)
  }

  #threadsOf(way: Way): Threads {
    return way === 'noble' ? this.#nobleThread : this.#cryptoThreads
  }
}

function wayOf(
  spec: KeySpec,
  algorithm: SigningAlgorithm,
  messageType: MessageType,
  message: Buffer,
): Way {
  refuseOther(spec, 'SIGN_VERIFY', algorithm)
  const row = signingRow(algorithm)
  const way = ways[row.scheme][messageType]
  if (way === undefined) throw internalError(`${algorithm} does not sign ${messageType}`)
  if (messageType !== 'RAW' && message.length !== row.digestBytes) {
    throw internalError(`${algorithm} does not sign ${message.length} bytes as ${messageType}`)
  }
  return way
}

export function refuseOther(
  spec: KeySpec,
  usage: Parameters<typeof algorithmsOf>[1],
  algorithm: string,
): void {
  if (algorithmsOf(spec, usage).includes(algorithm)) return
  throw internalError(`a key of ${spec} does not do ${algorithm}`)
}

function bytesOf(result: Buffer | boolean): Buffer {
  if (typeof result === 'boolean') throw internalError('a thread answered without bytes')
  return result
}

function truthOf(result: Buffer | boolean): boolean {
  if (typeof result !== 'boolean') throw internalError('a thread answered with bytes')
  return result
}
