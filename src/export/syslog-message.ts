import type { Entry } from './sink.ts'

/** Facility 13 (log audit), severity 6 (informational). RFC 5424 §6.2.1 */
const priority = 13 * 8 + 6

export type SyslogOrigin = {
  readonly hostname: string | undefined
  readonly node: string
  /** Of one message without its count. */
  readonly maxMessageBytes: number
}

/**
 * A message of RFC 5424 in a frame of RFC 6587 §3.4.1: its length in bytes, a space, the message. The entry is its MSG
 * as it stands in the record; MSGID is its kind. One that is too long is replaced by what tells where it is found.
 */
export function syslogFrame(entry: Entry, origin: SyslogOrigin): Buffer {
  const { hostname = '-', node, maxMessageBytes } = origin
  const time = timeOf(entry)
  const header = Buffer.from(`<${priority}>1 ${time} ${hostname} kagiban ${node} ${entry.kind} - `)
  let body = Buffer.from(entry.record)
  if (header.length + body.length > maxMessageBytes) {
    body = Buffer.from(stub(entry, body.length, maxMessageBytes))
  }
  return Buffer.concat([Buffer.from(`${header.length + body.length} `), header, body])
}

/** Members by which the whole is found again, as far as they are short. */
const told = ['eventID', 'eventName', 'eventSource', 'eventTime', 'awsRegion', 'recipientAccountId']
const toldMax = 128

function stub({ record, index }: Entry, bytes: number, bytesMax: number): string {
  const members = JSON.parse(record) as Readonly<Record<string, unknown>>
  const kept = told.flatMap((name) => {
    const value = members[name]
    return typeof value === 'string' ? [[name, value.slice(0, toldMax)]] : []
  })
  return JSON.stringify({
    ...Object.fromEntries(kept),
    ...{ omitted: true, originalSize: bytes, journalIndex: index },
    reason: `longer than a message of ${bytesMax} bytes holds`,
  })
}

const eventTimeKey = '"eventTime":"'
const itemTimeKey = '"configurationItemCaptureTime":"'
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/

/**
 * NILVALUE for what has none. Members that callers fill come behind it: in an event `eventTime`, in an item the time
 * of its capture.
 */
function timeOf({ kind, record }: Entry): string {
  const timeKey = kind === 'item' ? itemTimeKey : eventTimeKey
  const at = record.indexOf(timeKey)
  if (at < 0) return '-'
  const begin = at + timeKey.length
  const time = record.slice(begin, record.indexOf('"', begin))
  return rfc3339.test(time) ? time : '-'
}
