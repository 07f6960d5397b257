// counts.ts: how much the two processes of a test exchange; both must agree.

export const itemCount = 100_000
export const roundCount = 50_000
export const burstCount = 100_000
