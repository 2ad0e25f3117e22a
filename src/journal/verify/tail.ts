import type { Files } from '../files.ts'
import { maxBatchBytes } from '../frame.ts'
import { SegmentWindow } from '../window.ts'

/** Whether anything but zeros stands in a segment from `offset` on. */
export function bytesBehind(files: Files, path: string, offset: number): boolean {
  const file = files.open(path, 'read')
  try {
    const window = new SegmentWindow(files, maxBatchBytes)
    window.attach(file, files.identifyOpen(file).bytes)
    return window.firstNonZero(offset) !== undefined
  } finally {
    files.close(file)
  }
}
