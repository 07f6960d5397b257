// options.ts: numbers from the command line, refused with the option's name, the value and the limit.

import { InvalidArgumentError } from "commander"

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
