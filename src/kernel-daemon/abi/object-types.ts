// object-types.ts: kinds of kernel objects by KaaL's numbers. 12 is ours: the authority to create processes.

export const ObjectType = {
  Null: 0,
  Untyped: 1,
  Endpoint: 2,
  Notification: 3,
  TCB: 4,
  CNode: 5,
  VSpace: 6,
  PageTable: 7,
  Page: 8,
  IrqHandler: 9,
  IrqControl: 10,
  Reply: 11,
  ProcessControl: 12,
} as const

export type ObjectTypeName = keyof typeof ObjectType
