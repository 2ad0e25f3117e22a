import {
  type BucketFacts,
  type EncryptionFacts,
  followsRule,
  type UploadFacts,
  type VersionFacts,
} from './bucket-facts.ts'

/** Objects, or uploads, of one bucket that are encrypted in one way. */
export type EncryptionClass = {
  readonly kind: 'objects' | 'uploads'
  /** Undefined: of all classes that a bucket had beyond the most that are told apart. */
  readonly encryption: (EncryptionFacts & { readonly byDefault: boolean }) | undefined
  /** Versions of objects, or uploads. */
  count: number
  /** Of them, those that are the latest of their key. */
  latest: number
  bytes: number
  notAsRule: number
  /** Times of the earliest and the latest. */
  first: number
  last: number
  /** The first keys that are not as the rule says. */
  readonly examples: string[]
}

/** Callers choose keys for their objects, so that there may be as many classes as objects. */
const classesMax = 100
const examplesMax = 3

/** Counts what a bucket holds. It keeps no more than so many classes, however many objects there are. */
export class EncryptionCensus {
  readonly #bucket: BucketFacts
  readonly #classes = new Map<string, EncryptionClass>()

  constructor(bucket: BucketFacts) {
    this.#bucket = bucket
  }

  /** Objects before uploads, others last. */
  classes(): readonly EncryptionClass[] {
    const all = [...this.#classes.values()]
    return [
      ...all.filter(({ kind }) => kind === 'objects'),
      ...all.filter(({ kind }) => kind === 'uploads'),
    ]
  }

  addVersion(version: VersionFacts): void {
    const found = this.#add('objects', version)
    found.bytes += version.size
    if (version.latest) found.latest += 1
  }

  addUpload(upload: UploadFacts): void {
    this.#add('uploads', upload)
  }

  #add(kind: EncryptionClass['kind'], each: UploadFacts): EncryptionClass {
    const { key, modified, encryption } = each
    const found = this.#class(kind, encryption)
    found.count += 1
    found.first = Math.min(found.first, modified)
    found.last = Math.max(found.last, modified)
    if (!followsRule(encryption, this.#bucket)) {
      found.notAsRule += 1
      if (found.examples.length < examplesMax && found.examples.at(-1) !== key) {
        found.examples.push(key)
      }
    }
    return found
  }

  #class(kind: EncryptionClass['kind'], encryption: UploadFacts['encryption']): EncryptionClass {
    const { mode, key = '', bucketKey, byDefault } = encryption
    const name = `${kind} ${mode} ${key} ${bucketKey} ${byDefault}`
    const known = this.#classes.get(name)
    if (known !== undefined) return known
    if (this.#classes.size < classesMax) return this.#newClass(name, kind, encryption)
    const others = `${kind} others`
    return this.#classes.get(others) ?? this.#newClass(others, kind, undefined)
  }

  #newClass(
    name: string,
    kind: EncryptionClass['kind'],
    encryption: EncryptionClass['encryption'],
  ): EncryptionClass {
    const made: EncryptionClass = {
      ...{ kind, encryption, count: 0, latest: 0, bytes: 0, notAsRule: 0 },
      ...{ first: Number.POSITIVE_INFINITY, last: 0, examples: [] },
    }
    this.#classes.set(name, made)
    return made
  }
}
