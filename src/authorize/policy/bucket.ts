import type { CompiledPolicy } from './compile.ts'

/** What stands for the policy of a bucket that has none: it lets nobody in and keeps nobody out. It has no digest. */
export const noBucketPolicy: CompiledPolicy = { denies: [], allows: [], text: '', digest: '' }
