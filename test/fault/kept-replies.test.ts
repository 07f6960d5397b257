// kept-replies.test.ts: Linux has no memory for replies to a component that goes on calling: so many are kept, and no more.

import { spawn } from "node:child_process"
import { join } from "node:path"
import t, { type Test } from "tap"
import { ADDON_VARIABLE, addonPath } from "../../native/index.ts"
import { MAX_KEPT_REPLIES, MAX_KEPT_REPLY_BYTES, MAX_MESSAGE_BYTES } from "../../src/kernel-daemon/abi/limits.ts"
import { errnoNumber } from "./resources/calls.ts"
import { Workshop } from "./resources/running.ts"

const HOST = "kept-replies"
const RUN_MS = 20_000
/**
 * A reply is tried again at most once in a turn of the event loop, in which up to 16 calls are taken; so all the calls of a test are
 * taken before the shortage is over.
 */
const REFUSALS = 10
const AFTERWARDS = 255

/** @returns why the caller was to be ended, and which replies it got, by their calls' numbers */
async function answers(t: Test, workshop: Workshop, calls: number, replyBytes: number) {
  const { plan, library, components } = workshop
  plan.disarm()
  const host = spawn(process.execPath, [join(components, `${HOST}.cjs`), String(calls), String(replyBytes)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { LD_PRELOAD: library, KAAL_INJECT: plan.path, [ADDON_VARIABLE]: addonPath() },
    timeout: RUN_MS,
    killSignal: "SIGKILL",
  })
  t.teardown(() => host.kill("SIGKILL"))
  let text = ""
  host.stdout.setEncoding("utf8").on("data", chunk => {
    text += chunk
    if (text !== "called\n") return
    // Its own calls have gone out from the place from which replies will.
    const site = plan.sites().find(({ role, call }) => role === HOST && call === "sendmsg")
    if (site === undefined) throw new Error("No place is known from which a message is sent")
    plan.armError({ ...site, k: 1, errno: errnoNumber("ENOBUFS"), times: REFUSALS })
    host.stdin.write("go\n")
  })
  await new Promise(resolve => host.once("close", resolve))
  t.ok(plan.hasFired, "replies were refused")
  return JSON.parse(text.split("\n")[1] ?? "") as { reason?: string; got: number[] }
}

const from1 = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

t.test("replies that wait for memory are bounded", async t => {
  const workshop = await Workshop.open(HOST, [])
  t.teardown(() => workshop.remove())
  const mostLargest = MAX_KEPT_REPLY_BYTES / MAX_MESSAGE_BYTES

  for (const [what, most, replyBytes] of [
    ["in number", MAX_KEPT_REPLIES, 8],
    ["in bytes", mostLargest, MAX_MESSAGE_BYTES],
  ] as const) {
    t.test(`${what}: ${most} of ${replyBytes} bytes are kept, and come in order when there is memory`, async t => {
      const { reason, got } = await answers(t, workshop, most, replyBytes)
      t.equal(reason, undefined)
      t.same(got, [...from1(most), AFTERWARDS])
    })

    t.test(`${what}: who has one more coming is ended, and is sent nothing behind the gap`, async t => {
      const { reason, got } = await answers(t, workshop, most + 1, replyBytes)
      const kept = `${most} replies, ${most * replyBytes} bytes are kept and one of ${replyBytes} comes`
      t.match(reason, `Linux takes no reply to it, ${kept}: at most ${MAX_KEPT_REPLIES}, ${MAX_KEPT_REPLY_BYTES} bytes`)
      t.same(got, [])
    })
  }
})
