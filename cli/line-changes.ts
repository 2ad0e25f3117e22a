/** Beyond so many pairs of lines, what changed is shown as a whole. */
const pairsMax = 4_000_000

/** The lines that went, by `- `, and those that came, by `+ `, in their order; those that stayed are left out. */
export function lineChanges(before: readonly string[], after: readonly string[]): string[] {
  let [start, ends] = [0, 0]
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  const rest = Math.min(before.length, after.length) - start
  while (ends < rest && before.at(-1 - ends) === after.at(-1 - ends)) ends++
  const old = before.slice(start, before.length - ends)
  const fresh = after.slice(start, after.length - ends)
  if (old.length * fresh.length > pairsMax) return [...gone(old), ...come(fresh)]
  const width = fresh.length + 1
  /** The length of the longest common rest of both from here on. */
  const common = new Uint16Array((old.length + 1) * width)
  for (let one = old.length - 1; one >= 0; one--) {
    for (let other = fresh.length - 1; other >= 0; other--) {
      const isSame = old[one] === fresh[other]
      common[one * width + other] = isSame
        ? (common[(one + 1) * width + other + 1] ?? 0) + 1
        : Math.max(common[(one + 1) * width + other] ?? 0, common[one * width + other + 1] ?? 0)
    }
  }
  const lines: string[] = []
  let [one, other] = [0, 0]
  while (one < old.length || other < fresh.length) {
    const [was = '', is = ''] = [old[one], fresh[other]]
    const below = common[(one + 1) * width + other] ?? 0
    const beside = common[one * width + other + 1] ?? 0
    if (one < old.length && other < fresh.length && was === is) {
      one++
      other++
    } else if (other === fresh.length || (one < old.length && below >= beside)) {
      lines.push(`- ${was}`)
      one++
    } else {
      lines.push(`+ ${is}`)
      other++
    }
  }
  return lines
}

const gone = (lines: readonly string[]) => lines.map((line) => `- ${line}`)
const come = (lines: readonly string[]) => lines.map((line) => `+ ${line}`)
