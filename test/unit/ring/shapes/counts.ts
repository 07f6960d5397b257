// counts.ts: how much the processes of a test exchange; all must agree.

export const messageCount = 20_000
