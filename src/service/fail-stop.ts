/** EX_SOFTWARE of sysexits.h: distinct from every end that the service decides on. */
export const failStopExit = 70

/**
 * What nobody foresaw leaves a state that nobody knows: the process says where it happened, and ends. Whoever started
 * it starts it again, from what is on disk. Rejections that nobody handles come here as well.
 */
export function failStop(log: (line: string) => void): void {
  process.on('uncaughtException', (error: unknown) => {
    try {
      log(`the service failed: ${placeOf(error)}`)
    } finally {
      process.exit(failStopExit)
    }
  })
}

const framesMax = 20

/** Name, code and stack. Never the message: it may quote what was being worked on. */
export function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return `a value that is no error, ${typeof error}`
  const { message, stack = '' } = error
  const code =
    'code' in error && /^[A-Z][A-Z0-9_]{1,63}$/.test(String(error.code)) ? error.code : ''
  const frames = (message === '' ? stack : stack.replace(message, () => ''))
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
  return [`${error.constructor.name} ${code}`.trim(), ...frames.slice(0, framesMax)].join('\n')
}
