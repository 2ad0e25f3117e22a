/** What a journal asks to have signed: how large it is, and the root of its tree. */
export type CheckpointText = {
  /** `kagiban/<node>/<UUID>` */
  readonly origin: string
  readonly size: number
  /** Base64 of 32 bytes. */
  readonly root: string
}

const textBytesMax = 256
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const form = new RegExp(
  `^(kagiban/[\\w.-]{1,64}/${uuid})\\n(0|[1-9]\\d{0,15})\\n([A-Za-z0-9+/]{43}=)\\n$`,
)

/**
 * Reads the text of a checkpoint (C2SP tlog-checkpoint: origin, size and root, each on its line) as a journal writes it
 * and nothing else, so that no signature of this key can be taken for one over anything but a checkpoint.
 */
export function parseCheckpointText(message: Buffer): CheckpointText | undefined {
  if (message.length > textBytesMax) return undefined
  const [, origin, digits, root] = form.exec(message.toString('latin1')) ?? []
  if (origin === undefined || digits === undefined || root === undefined) return undefined
  const size = Number(digits)
  const isCanonical = Buffer.from(root, 'base64').toString('base64') === root
  return Number.isSafeInteger(size) && isCanonical ? { origin, size, root } : undefined
}
