// options.ts: what several commands take from the command line; numbers are refused with their name, value and limit.

import { InvalidArgumentError, Option } from "commander"
import { PROFILE_NAMES, type ProfileName, Switches } from "../abi/profile.ts"

/** The option `--profile`. @param more what else it takes beside the two profiles */
export function profileOption(...more: readonly string[]): Option {
  const about = "strict: seL4's semantics; kaal: what KaaL is seen to do, its quirks included"
  return new Option("--profile <name>", about).choices([...PROFILE_NAMES, ...more]).default("strict")
}

/** In words, for the line that a command prints at its start. */
export function describeProfile(profile: ProfileName): string {
  if (profile === "strict") return "profile strict"
  return `profile kaal: as KaaL in ${Object.keys(Switches).length} points (abi/profile.ts)`
}

/** A parser for commander: a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

/** As `wholeNumber`, and a power of two. */
export function powerOfTwo(least: number, most: number): (text: string) => number {
  const parse = wholeNumber(least, most)
  return text => {
    const value = parse(text)
    if ((value & (value - 1)) === 0) return value
    throw new InvalidArgumentError(`It must be a power of two from ${least} to ${most}.`)
  }
}

/** As `wholeNumber`, and a multiple of `step`. */
export function multipleOf(step: number, least: number, most: number): (text: string) => number {
  const parse = wholeNumber(least, most)
  return text => {
    const value = parse(text)
    if (value % step === 0) return value
    throw new InvalidArgumentError(`It must be a multiple of ${step} from ${least} to ${most}.`)
  }
}
