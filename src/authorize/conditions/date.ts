/** The profile of ISO 8601 in https://www.w3.org/TR/NOTE-datetime. */
const iso =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/
const epochSeconds = /^[0-9]{1,11}(?:\.[0-9]{1,9})?$/

/**
 * Milliseconds since the epoch, of a W3C date or of seconds since the epoch; four digits alone are a year.
 * Undefined for
 * a date that does not exist.
 */
export function parseDate(text: string): number | undefined {
  const parts = iso.exec(text)
  if (parts === null) return epochSeconds.test(text) ? Number(text) * 1000 : undefined
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00'] = parts
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day))
  if (new Date(date).toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const offset = zoneMinutes(parts[8] ?? 'Z')
  if (offset === undefined) return undefined
  const time = (Number(hour) * 60 + Number(minute) - offset) * 60_000 + Number(second) * 1000
  return date + time + Number(`0.${parts[7] ?? '0'}`) * 1000
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}
