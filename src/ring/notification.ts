// notification.ts: a notification's two sides. Bits that a signaller sets stay pending until the waiter takes them.

export { NotificationSignaller } from "./signaller.ts"
export { NotificationWaiter } from "./waiter.ts"
