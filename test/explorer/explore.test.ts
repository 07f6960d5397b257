// explore.test.ts: the small cases of the schedule explorer, complete; random schedules; and that it finds what is wrong.

import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { SMALL } from "../../src/explorer/cases/all.ts"
import { ringLoopCase } from "../../src/explorer/cases/loop.ts"
import { recordCase } from "../../src/explorer/cases/records.ts"
import { ringCase } from "../../src/explorer/cases/ring.ts"
import { SMALL_SHAPES } from "../../src/explorer/cases/shapes.ts"
import { explore, replay, sample } from "../../src/explorer/explore.ts"
import { instrument } from "../../src/explorer/instrument.ts"
import { type Program, takeOverKernel } from "../../src/explorer/process.ts"
import { SCRATCH, SHARED_START } from "../../src/explorer/shared-space.ts"
import type { Case, Failure } from "../../src/explorer/system.ts"
import { RING_SLOTS } from "../../src/ring/layout.ts"

// Half a minute's work, and others may be at work.
t.setTimeout(300_000)
const root = join(import.meta.dirname, "../..")
takeOverKernel()
const shipped = readFileSync(join(root, "dist/ring.wasm"))
const module = new WebAssembly.Module(instrument(shipped) as Uint8Array<ArrayBuffer>)

const word = SHARED_START + RING_SLOTS
/** Stores two words, one after the other. */
const storer: Program = {
  name: "storer",
  attach: (vspace, begin) => () => {
    begin("store")
    for (const at of [0, 1]) vspace.storeWord(word + 4 * at, 1)
  },
}

t.test("the small cases: every schedule delivers all", async t => {
  let all = 0n
  for (const explored of [...SMALL, ...SMALL_SHAPES]) {
    const { complete, failure, schedules } = explore(module, explored)
    t.equal(failure, undefined, explored.name)
    t.ok(complete, explored.name)
    all += schedules
  }
  t.ok(all > 1_000_000_000n, `${all} schedules`)
})

t.test("a consumer that nobody sends to is found asleep, and its schedule can be replayed", async t => {
  const alone = ringWith({ name: "producer", attach: () => () => {} })
  const { failure } = explore(module, alone)
  t.match(failure?.why, /^deadlock: consumer sleeps in pop 1 on writeIndex/)
  t.same(replay(module, alone, failure as Failure), failure)
})

t.test("an end in its event loop, whose bell nobody rings, is found asleep", async t => {
  const whole = ringLoopCase({ form: "index", capacity: 1, messages: 1, producer: "blocking", consumer: "loop" })
  const [producer, consumer] = whole.programs
  if (producer === undefined || consumer === undefined) return t.fail("a ring has two ends")
  const { failure } = explore(module, { ...whole, programs: [{ ...producer, bells: [] }, consumer] })
  t.match(failure?.why, /^deadlock: consumer sleeps in pop 1 on bells 0/)
})

t.test("one that never sleeps is found spinning", async t => {
  const spinner: Program = {
    name: "spinner",
    neverSleeps: true,
    attach: (vspace, begin) => () => {
      begin("look")
      while (vspace.loadWord(SHARED_START + RING_SLOTS) === 0);
    },
  }
  const { failure } = explore(module, { ...ringCase("index", 1, 1), programs: [spinner] })
  t.match(failure?.why, /^deadlock: spinner spins in look on slots \+ 0/)
})

t.test("a plain access that an atomic one does not order is a race, and its schedule can be replayed", async t => {
  const peeker: Program = {
    name: "peeker",
    attach: (vspace, begin) => () => {
      begin("peek")
      // Orders nothing: nobody stores there.
      vspace.loadWord(SHARED_START)
      vspace.hot.copy(SCRATCH, SHARED_START + RING_SLOTS, 8)
    },
  }
  const [producer] = ringCase("index", 1, 1).programs
  const racing = { ...ringWith(peeker), programs: [producer as Program, peeker] }
  const { failure } = explore(module, racing)
  t.match(failure?.why, /^race at slots \+ 0: /)
  t.same(replay(module, racing, failure as Failure), failure)
})

t.test("states that differ only in a word which two processes store are told apart", async t => {
  const storerOf = (number: number): Program => ({
    name: `storer ${number}`,
    attach: (vspace, begin) => () => {
      begin("store")
      vspace.storeWord(word, number)
      vspace.storeWord(word + 4 * number, 1)
    },
  })
  const looker = (unexpected: number): Program => ({
    name: "looker",
    attach: (vspace, begin) => () => {
      begin("look")
      const bothStored = vspace.loadWord(word + 4) === 1 && vspace.loadWord(word + 8) === 1
      if (bothStored && vspace.loadWord(word) === unexpected) throw new Error(`saw ${unexpected}`)
    },
  })
  for (const unexpected of [1, 2]) {
    const programs = [storerOf(1), storerOf(2), looker(unexpected)]
    const { failure } = explore(module, { ...ringCase("index", 1, 1), programs })
    t.equal(failure?.why, `looker: saw ${unexpected}`)
  }
  const { complete, failure } = explore(module, {
    ...ringCase("index", 1, 1),
    programs: [storerOf(1), storerOf(2), looker(3)],
  })
  t.equal(failure, undefined)
  t.ok(complete)
})

t.test(
  "a load of a word that is stored only later is a step all the same, and its schedule can be replayed",
  async t => {
    const looker = (unexpected: string): Program => ({
      name: "looker",
      attach: (vspace, begin) => () => {
        begin("look")
        const saw = [1, 0].map(at => vspace.loadWord(word + 4 * at)).join()
        if (saw === unexpected) throw new Error(`saw ${saw}`)
      },
    })
    for (const [unexpected, isPossible] of [
      ["0,0", true],
      ["0,1", true],
      ["1,1", true],
      ["1,0", false],
    ] as const) {
      const both = { ...ringCase("index", 1, 1), programs: [looker(unexpected), storer] }
      const { failure } = explore(module, both)
      t.equal(failure?.why, isPossible ? `looker: saw ${unexpected}` : undefined)
      if (failure !== undefined) t.same(replay(module, both, failure), failure)
    }
  },
)

t.test("rounds of looks: the change of each word is found, and a hundred rounds are few states", async t => {
  const looker = (unexpected: string): Program => ({
    name: "looker",
    attach: (vspace, begin) => () => {
      begin("look")
      let saw = ""
      for (let round = 0; round < 100 && !saw.includes("1"); round++)
        saw = [0, 1].map(at => vspace.loadWord(word + 4 * at)).join()
      if (saw === unexpected) throw new Error(`saw ${saw}`)
    },
  })
  for (const unexpected of ["0,0", "0,1", "1,0", "1,1"]) {
    const { failure } = explore(module, { ...ringCase("index", 1, 1), programs: [looker(unexpected), storer] })
    t.equal(failure?.why, `looker: saw ${unexpected}`)
  }
  const { complete, states } = explore(module, { ...ringCase("index", 1, 1), programs: [looker("never"), storer] })
  t.ok(complete && states < 60, `${states} states`)
})

t.test("random schedules: the same seed gives the same ones, and they find a lost message", async t => {
  const larger = ringCase("slot", 4, 8)
  const first = sample(module, larger, 7, 20)
  t.equal(first.failure, undefined)
  t.equal(first.runs, 20)
  t.same(sample(module, larger, 7, 20), first)
  t.not(sample(module, larger, 8, 20).steps, first.steps)

  const [producer] = recordCase([[24], [8], [8]]).programs
  const [, consumer] = recordCase([[24], [8], [9]]).programs
  const wrong = { ...recordCase([[24], [8], [9]]), programs: [producer as Program, consumer as Program] }
  const { failure } = sample(module, wrong, 7, 20)
  t.match(failure?.why, /^consumer: pop 3 returned 3,3,3,3,3,3,3,3, and should/)
  t.same(replay(module, wrong, failure as Failure), failure)
})

t.test(
  "npm run explore refuses what it cannot do before anything runs, and replays a schedule from a file",
  async t => {
    const run = (...args: string[]) => {
      const argv = ["--import", "./scripts/load-ts.mjs", "scripts/explore.ts", ...args]
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: root, encoding: "utf8" })
      return { status, stdout, stderr }
    }
    for (const [args, why] of [
      [["--seed", "x"], "explore: --seed is x, which must be a number from 0 to 4294967295\n"],
      [["--seed", "1", "--runs", "0"], "explore: --runs is 0, which must be a number from 1 to 1000000\n"],
      [["--replay", "package.json"], 'explore: package.json holds no line that begins with "schedule "\n'],
    ] as const) {
      t.same(run(...args), { status: 2, stdout: "", stderr: why })
    }
    const file = join(t.testdir(), "output")
    const { name } = ringCase("index", 1, 2)
    writeFileSync(file, `before\nschedule ${JSON.stringify({ name, schedule: [0, 1] })}\n`)
    const { status, stdout } = run("--replay", file)
    t.equal(status, 0)
    t.match(stdout, /producer {2}push 1 {4}store {8}writeIndex 0\n/)
    t.match(stdout, /nothing is wrong with this schedule\n/)
  },
)

/** A ring's memory with the one consumer and this program. */
function ringWith(program: Program): Case {
  const whole = ringCase("index", 1, 1)
  return { ...whole, programs: [program, whole.programs[1] as Program] }
}
