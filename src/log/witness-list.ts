import { parseVkey, signatureTypes, type VerifierKey } from '../journal/note-keys.ts'

export type WitnessEntry = {
  readonly key: VerifierKey
  /** Where it takes checkpoints; `add-checkpoint` is appended. Ends with a slash. */
  readonly url: URL
}

export type WitnessList = {
  readonly witnesses: readonly WitnessEntry[]
  /** So many have to cosign a checkpoint before it counts as witnessed. */
  readonly quorum: number
}

const witnessesMax = 16

/**
 * A file with a line for each witness, `VKEY URL`, and at most one line `quorum N`; without it all are needed. A line
 * that begins with `#` is a comment. Throws an Error that says what is wrong.
 */
export function parseWitnessList(text: string): WitnessList {
  const witnesses: WitnessEntry[] = []
  let quorum: number | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    const [first = '', second = ''] = words
    if (first === '' || first.startsWith('#')) continue
    const wrong = (what: string) => new Error(`line ${index + 1} of the witnesses: ${what}`)
    if (words.length !== 2) throw wrong('give VKEY URL, or quorum N')
    if (first === 'quorum') {
      if (quorum !== undefined || !/^[1-9]\d{0,2}$/.test(second)) throw wrong('no quorum')
      quorum = Number(second)
    } else {
      witnesses.push(entryOf(first, second, wrong))
    }
  }
  if (witnesses.length > witnessesMax) throw new Error(`there can be ${witnessesMax} witnesses`)
  const names = new Set(witnesses.map(({ key }) => key.name))
  if (names.size !== witnesses.length) throw new Error('the witnesses name one of them twice')
  quorum ??= witnesses.length
  if (quorum > witnesses.length) {
    throw new Error(`a quorum of ${quorum} needs more than ${witnesses.length} witnesses`)
  }
  return { witnesses, quorum }
}

function entryOf(vkey: string, address: string, wrong: (what: string) => Error): WitnessEntry {
  const key = parseVkey(vkey)
  if (typeof key === 'string') throw wrong(`no verifier key: ${key}`)
  if (key.type === signatureTypes.ed25519) throw wrong('the key of a log, not of a witness')
  const url = URL.parse(address.endsWith('/') ? address : `${address}/`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw wrong(`'${address}' is no http or https address`)
  }
  return { key, url }
}
