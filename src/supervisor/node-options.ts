/**
 * What of NODE_OPTIONS the confined service takes over: flags by which its memory and its time can be looked at. Any
 * other could load code into it, or open a door to it.
 */
const passed: readonly RegExp[] = [
  /^--heapsnapshot-signal=SIGUSR2$/,
  /^--max-old-space-size=\d{1,7}$/,
  // Profiles are written to the service's own folder: a name, never a path.
  /^--cpu-prof$/,
  /^--cpu-prof-interval=\d{1,9}$/,
  /^--cpu-prof-name=\w[\w.-]{0,99}$/,
]

export type NodeOptions = {
  readonly passed: readonly string[]
  /** The names of those that are not passed on. */
  readonly dropped: readonly string[]
}

/** Node separates options by spaces; what is quoted in there matches nothing, and is dropped piece by piece. */
export function nodeOptionsFor(text: string | undefined): NodeOptions {
  const options = (text ?? '').split(/\s+/).filter((option) => option !== '')
  const may = (option: string) => passed.some((pattern) => pattern.test(option))
  return {
    passed: options.filter(may),
    dropped: options.filter((option) => !may(option)).map((option) => option.split('=')[0] ?? ''),
  }
}
