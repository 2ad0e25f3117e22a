/**
 * Whoever read what a process says may be gone: a closed pipe, a terminal that hung up. Without a listener the failed
 * write would end the process, and with it the service.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}
