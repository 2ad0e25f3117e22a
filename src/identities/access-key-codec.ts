import type { Caller } from '../base/caller.ts'
import { type Codec, jsonCodec } from '../storage/mirror.ts'
import type { AccessKeyRecord } from './records.ts'

/** Rows of versions that knew root users alone say whom a request comes from. */
type FormerRecord = Omit<AccessKeyRecord, 'account' | 'userId'> & { readonly caller: Caller }

const json = jsonCodec<AccessKeyRecord | FormerRecord>()

export const accessKeyCodec: Codec<AccessKeyRecord> = {
  encode: json.encode,
  decode(body) {
    const record = json.decode(body)
    if (!('caller' in record)) return record
    const { caller, ...rest } = record
    return { ...rest, account: caller.account }
  },
}
