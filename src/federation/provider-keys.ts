import type { Clock } from '../base/clock.ts'
import type { OidcProviderRecord } from '../identities/records.ts'
import { type JsonWebKeySet, readConfiguration, readKeySet } from './key-set.ts'
import type { ProviderFetch } from './provider-fetch.ts'
import { noKeys } from './refusals.ts'

export type ProviderKeysOptions = {
  readonly fetch: ProviderFetch
  readonly clock: Clock
}

/** How long what a provider published counts. */
const lifetimeMs = 10 * 60_000
/** A provider is asked no more often, whatever for: a key that nobody knows, or a failure that may have passed. */
const askMs = 10_000
/** Providers whose keys are kept; who was asked for longest ago gives way. */
const providersMax = 1000

type Trusted = Pick<OidcProviderRecord, 'url' | 'thumbprints'>

type Entry = {
  keys?: JsonWebKeySet
  fetchedAt: number
  failure?: unknown
  /** When the last question was answered. */
  askedAt: number
  pending?: Promise<JsonWebKeySet>
}

/**
 * The keys by which providers sign (OpenID Connect Discovery 1.0 §4), fetched when they are needed. Calls that need the
 * same keys at the same time share one fetch.
 *
 * What was fetched is known by issuer and thumbprints: an account that trusts another certificate for the same issuer
 * has keys of its own, and cannot bring any into another's.
 */
export class ProviderKeys {
  readonly #options: ProviderKeysOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: ProviderKeysOptions) {
    this.#options = options
  }

  /** Rejects with 'idp-communication', or 'invalid-identity-token' for a provider without usable keys. */
  async of(provider: Trusted): Promise<JsonWebKeySet> {
    const entry = this.#entryOf(provider)
    const { keys, failure } = entry
    if (keys !== undefined && this.#since(entry.fetchedAt) < lifetimeMs) return keys
    if (failure !== undefined && this.#since(entry.askedAt) < askMs) throw failure
    return this.#fetch(provider, entry)
  }

  /** What is published now, when `known` lacks a key; the same when the provider was asked a moment ago. */
  async newerThan(known: JsonWebKeySet, provider: Trusted): Promise<JsonWebKeySet> {
    const entry = this.#entryOf(provider)
    if (entry.keys !== undefined && entry.keys !== known) return entry.keys
    if (entry.pending === undefined && this.#since(entry.askedAt) < askMs) return known
    return this.#fetch(provider, entry)
  }

  #entryOf({ url, thumbprints }: Trusted): Entry {
    const name = JSON.stringify([url, ...[...thumbprints].sort()])
    const entry = this.#entries.get(name) ?? { fetchedAt: 0, askedAt: 0 }
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= providersMax) break
      this.#entries.delete(oldest)
    }
    return entry
  }

  /** A clock that was set back keeps nothing for longer. */
  #since(time: number): number {
    const since = this.#options.clock.now() - time
    return since < 0 ? Number.POSITIVE_INFINITY : since
  }

  #fetch(provider: Trusted, entry: Entry): Promise<JsonWebKeySet> {
    entry.pending ??= this.#ask(provider).then(
      (keys) => {
        const now = this.#options.clock.now()
        Object.assign(entry, { keys, fetchedAt: now, askedAt: now, failure: undefined })
        delete entry.pending
        return keys
      },
      (failure: unknown) => {
        Object.assign(entry, { failure, askedAt: this.#options.clock.now() })
        delete entry.pending
        throw failure
      },
    )
    return entry.pending
  }

  async #ask({ url, thumbprints }: Trusted): Promise<JsonWebKeySet> {
    const { fetch } = this.#options
    const issuer = `https://${url}`
    const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
    const address = new URL(`${base}/.well-known/openid-configuration`)
    const { jwksUri } = readConfiguration(await fetch(address, thumbprints), issuer)
    const keys = URL.parse(jwksUri)
    if (keys === null || keys.protocol !== 'https:' || keys.username !== '' || keys.password !== '')
      throw noKeys('jwks_uri is no https address')
    return readKeySet(await fetch(keys, thumbprints))
  }
}
