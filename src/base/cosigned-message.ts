const label = Buffer.from('subtree/v1\n\0', 'latin1')

/**
 * What an ML-DSA-44 signature of a checkpoint is over (C2SP tlog-cosignature, `cosigned_message`): label, cosigner,
 * time in seconds (0: nothing is said of when), origin, the range of leaves (all of them), root. Names have 1 to 255
 * bytes, the root 32.
 */
export function cosignedMessage(
  cosigner: string,
  time: number,
  checkpoint: { readonly origin: string; readonly size: number; readonly root: Buffer },
): Buffer {
  const { origin, size, root } = checkpoint
  return Buffer.concat([
    label,
    vector(cosigner),
    uint64(time),
    vector(origin),
    uint64(0),
    uint64(size),
    root,
  ])
}

function vector(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length < 1 || bytes.length > 255) throw new RangeError('a name has 1 to 255 bytes')
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
