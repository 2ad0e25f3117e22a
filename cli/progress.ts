const terminalMs = 200
const elseMs = 5000

/** Progress of a long reading, on standard error: one line that changes on a terminal, elsewhere one now and then. */
export class Progress {
  readonly #shown: boolean
  readonly #begun = performance.now()
  readonly #isTerminal = process.stderr.isTTY === true
  #last = performance.now()
  #bytes = 0
  #line = false

  constructor(shown: boolean) {
    this.#shown = shown
  }

  get isShown(): boolean {
    return this.#shown
  }

  add(name: string, bytes: number, record: number, total: number): void {
    this.#bytes += bytes
    this.show((seconds) => {
      const mebibytes = Math.round(this.#bytes / 1024 / 1024)
      const share = Math.min(99, Math.floor((100 * this.#bytes) / Math.max(1, total)))
      return `${name}: ${record} records, ${mebibytes} MiB, ${share} %, ${Math.round(seconds)} s`
    })
  }

  /** Asks for the text, which may name the seconds since the beginning, when it is time to show one. */
  show(textAt: (seconds: number) => string): void {
    const now = performance.now()
    if (!this.#shown || now - this.#last < (this.#isTerminal ? terminalMs : elseMs)) return
    this.#last = now
    const text = textAt((now - this.#begun) / 1000)
    process.stderr.write(this.#isTerminal ? `\r\u001b[K${text}` : `${text}\n`)
    this.#line = this.#isTerminal
  }

  /** Takes the line away. */
  end(): void {
    if (this.#line) process.stderr.write('\r\u001b[K')
    this.#line = false
  }
}
