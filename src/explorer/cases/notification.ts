// notification.ts: two signallers and a waiter, which sleeps until it has the bits of both and then reads what they wrote.

import { ACK_SLEEP, LANE_BYTES, NOTIFICATION_BYTES, NOTIFICATION_IN_USE } from "../../ring/layout.ts"
import { NotificationFrame } from "../../ring/notification-frame.ts"
import { NotificationSignaller } from "../../ring/signaller.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { NotificationWaiter } from "../../ring/waiter.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as FRAME, SCRATCH } from "../shared-space.ts"

const LANES = 2
/** Behind the lanes that are in use: 8 bytes of plain data for each signaller; then how many it has written, a word each. */
const DATA = FRAME + 1024
const WRITTEN_TIMES = DATA + 8 * LANES
const WRITTEN = 0x1234n

/**
 * The plain data are written before the first signal. Before each further one, which may merge into one that is pending, an
 * atomic word changes, and the waiter sleeps on until it has seen its last value: a merge that is not delivered leaves it asleep.
 * @param signals how often each signaller signals its bit; 0 for not at all
 * @param wait how the waiter waits
 */
export function notificationCase(signals: readonly [number, number], wait: WaitStrategy = {}): Case {
  const signaller = (lane: number): Case["programs"][number] => ({
    name: `signaller ${lane + 1}`,
    attach: (vspace, begin) => {
      const end = new NotificationSignaller(vspace, NotificationFrame.lane(FRAME, lane))
      return () => {
        for (let time = 1; time <= (signals[lane] as number); time++) {
          begin(`signal ${time}`)
          vspace.u64[SCRATCH / 8] = WRITTEN
          if (time === 1) vspace.hot.copy(DATA + 8 * lane, SCRATCH, 8)
          else vspace.storeWord(WRITTEN_TIMES + 4 * lane, time)
          end.signal(BigInt(1 << lane))
        }
      }
    },
  })
  return {
    name: `notification, ${signals.join(" and ")} signals${wait.spinNs === undefined ? "" : ", a waiter that spins before it sleeps"}`,
    create: { name: "creator", attach: vspace => () => void NotificationFrame.waiter(vspace, FRAME, LANES) },
    programs: [
      signaller(0),
      signaller(1),
      {
        name: "waiter",
        attach: (vspace, begin) => {
          const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, FRAME, LANES), { wait })
          return () => {
            const lanes = [0, 1].filter(lane => (signals[lane] as number) > 0)
            const again = lanes.filter(lane => (signals[lane] as number) > 1)
            const isOver = (): boolean =>
              again.every(lane => vspace.loadWord(WRITTEN_TIMES + 4 * lane) === (signals[lane] as number))
            let missing = lanes.reduce((bits, lane) => bits | BigInt(1 << lane), 0n)
            for (let time = 1; missing !== 0n || !isOver(); time++) {
              begin(`wait ${time}`)
              const bits = waiter.wait()
              if (typeof bits === "string" || bits === 0n || bits > 3n) throw new Error(`wait returned ${bits}`)
              for (const lane of [0, 1]) {
                if (((bits >> BigInt(lane)) & 1n) === 0n) continue
                vspace.hot.copy(SCRATCH, DATA + 8 * lane, 8)
                if (vspace.u64[SCRATCH / 8] !== WRITTEN) throw new Error(`bit ${lane} came before what it announces`)
              }
              missing &= ~bits
            }
          }
        },
      },
    ],
    nameOf: address => nameInNotification(address - FRAME),
  }
}

export function nameInNotification(offset: number): string {
  if (offset >= WRITTEN_TIMES - FRAME) return `times written + ${offset - (WRITTEN_TIMES - FRAME)}`
  if (offset >= DATA - FRAME) return `data + ${offset - (DATA - FRAME)}`
  for (let lane = 0; lane < LANES; lane++) {
    const place = NotificationFrame.lane(0, lane)
    if (offset >= place.lane && offset < place.lane + LANE_BYTES) return `lane ${lane + 1}`
    if (offset === place.ack) return `acknowledgement ${lane + 1}`
    if (offset === place.ack + ACK_SLEEP) return `waiter's sleep number ${lane + 1}`
  }
  if (offset === NOTIFICATION_IN_USE) return "lanes in use"
  return offset < NOTIFICATION_BYTES ? `kernel's part + ${offset}` : `frame + ${offset}`
}
