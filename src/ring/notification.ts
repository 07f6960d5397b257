// notification.ts: a notification's two sides. Bits that a signaller sets stay pending until the waiter takes them.

export { NotificationFrame } from "./notification-frame.ts"
export { type LanePlace, NotificationSignaller } from "./signaller.ts"
export { NotificationWaiter, type WaiterPlace } from "./waiter.ts"
