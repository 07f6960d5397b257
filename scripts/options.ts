// options.ts: what a script is told on the command line, checked before anything runs.

import { basename } from "node:path"

/** Ends the script with code 2 when the option is no number of the range. */
export function numberOption(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (value >= least && value <= most) return value
  return refuse(`--${name} is ${text}, which must be a number from ${least} to ${most}`)
}

/** The names themselves, or all where none is given. Ends the script with code 2 at one that is unknown. */
export function chosen(names: readonly string[], all: readonly string[]): readonly string[] {
  const unknown = names.find(name => !all.includes(name))
  if (unknown !== undefined) refuse(`there is no "${unknown}"; there are ${all.join(", ")}`)
  return names.length > 0 ? names : all
}

/** Ends the script with code 2. */
export function refuse(why: string): never {
  console.error(`${basename(process.argv[1] ?? "", ".ts")}: ${why}`)
  process.exit(2)
}
