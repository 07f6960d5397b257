// parts.ts: the parts of the report that need no script: tiles, bars, and rows with a strip of dots.

import { limitText, shown } from "../figure-table.ts"
import type { Contest } from "../results.ts"
import type { Figure } from "../row.ts"
import { fastest, kindOf, nameOf } from "./charts.ts"
import { escaped } from "./report.ts"

const MESSAGE_BYTES = 64

/** The four figures that somebody asks for first; those that were measured. */
export function tiles(figures: readonly Figure[], contests: readonly Contest[]): string {
  const wanted = [
    { key: "rtt-64-p50", text: "round trip of 64 bytes, both ends spinning" },
    { key: "stream-64-seqcst", text: "messages of 64 bytes, one by one" },
    { key: "batch-64-rate", text: "messages of 64 bytes, in batches of 32" },
    { key: "parked-rtt", text: "round trip, both ends asleep in between" },
  ]
  const found = wanted.flatMap(({ key, text }) => {
    const figure = figures.find(candidate => candidate.key === key)
    if (figure?.ours == null) return []
    const beside = figure.theirs === null ? "" : `${figure.against ?? ""}: ${shown(figure.theirs, figure.unit)}`
    return [tile(shown(figure.ours, figure.unit), text, beside)]
  })
  const of = (name: string): number | null =>
    contests.find(contest => contest.suite === "peers" && contest.of === name && contest.rttNs !== null)?.rttNs ?? null
  const [mine, socket] = [of("kaal-ipc"), of("Unix socket")]
  if (mine !== null && socket !== null) {
    found.push(
      tile(`${Math.round(socket / mine)} x`, "shorter round trip than a Unix socket from Node", shown(socket, "ns")),
    )
  }
  return found.join("")
}

function tile(value: string, text: string, beside: string): string {
  const [number, ...unit] = value.split(" ")
  return `<div class="tile"><b>${number}<small>${escaped(unit.join(" "))}</small></b><span>${escaped(text)}</span><i>${escaped(beside)}</i></div>`
}

/** Two lists of bars on a log scale: round trips, and streams. */
export function comparison(contests: readonly Contest[]): string {
  const peers = contests.filter(({ suite, bytes }) => suite === "peers" && bytes === MESSAGE_BYTES)
  const trips = fastest(
    peers.filter(({ rttNs }) => rttNs !== null),
    (a, b) => (a.rttNs ?? 0) < (b.rttNs ?? 0),
  ).sort((a, b) => (a.rttNs ?? 0) - (b.rttNs ?? 0))
  const streams = fastest(
    peers.filter(({ messagesPerSecond }) => messagesPerSecond !== null),
    (a, b) => (a.messagesPerSecond ?? 0) > (b.messagesPerSecond ?? 0),
  ).sort((a, b) => (b.messagesPerSecond ?? 0) - (a.messagesPerSecond ?? 0))
  return (
    bars("Round trip, p50: shorter is better", trips, ({ rttNs }) => rttNs ?? 0, "ns") +
    bars("Stream: longer is better", streams, ({ messagesPerSecond }) => messagesPerSecond ?? 0, "messages/s")
  )
}

function bars(title: string, contests: readonly Contest[], pick: (contest: Contest) => number, unit: string): string {
  if (contests.length === 0) return ""
  const values = contests.map(pick)
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.log10(Math.max(...values))]
  const rows = contests.map(contest => {
    const value = pick(contest)
    const width = ((Math.log10(value) - low) / Math.max(high - low, 1e-9)) * 100
    return `<div class="bar ${kindOf(contest)}"><span>${escaped(nameOf(contest))}</span><div><i style="width:${Math.max(width, 1).toFixed(1)}%"></i></div><b>${escaped(shown(value, unit))}</b></div>`
  })
  const marks = Array.from({ length: Math.floor(high) - low }, (_, index) => ((index + 1) / (high - low)) * 100)
  const lines = marks.map(at => `linear-gradient(var(--line),var(--line)) ${at.toFixed(2)}% 0/1px 100% no-repeat`)
  const style = lines.length === 0 ? "" : ` style="--marks:${lines.join(",")}"`
  return `<div class="bars"${style}><h3>${escaped(title)}</h3>${rows.join("")}</div>`
}

/** Rows of a table: what, ours, theirs, a strip of the ratios, what the limit says. */
export function figureRows(figures: readonly Figure[]): string {
  const head = "<tr><th>what<th class=n>ours<th class=n>theirs<th class=n>ratio<th>pairs<th>limit<th></tr>"
  return (
    head +
    figures
      .map(figure => {
        const { title, unit, ours, theirs, against, ratio, limit, verdict, placement, probe_ns, note, by } = figure
        const where =
          placement === null || placement === "1" ? "" : `placement ${placement}, ${probe_ns?.toFixed(0)} ns`
        const small = [by === "kaal-ipc" ? "" : by, where, note].filter(Boolean).join("; ")
        return (
          `<tr><td>${escaped(title)}<small>${escaped(small)}</small></td>` +
          `<td class=n>${escaped(shown(ours, unit))}</td>` +
          `<td class=n>${theirs === null ? "" : escaped(shown(theirs, unit))}<small>${escaped(against ?? "")}</small></td>` +
          `<td class=n>${ratio === null ? "" : ratio.toFixed(2)}</td><td>${strip(figure)}</td>` +
          `<td>${escaped(limitText(limit, unit))}</td><td>${verdict === "shown" ? "" : `<mark class="${verdict.replace(" ", "-")}">${verdict}</mark>`}</td></tr>`
        )
      })
      .join("")
  )
}

const STRIP_WIDTH = 180
const STRIP_HEIGHT = 22
/** Ratios from 1/4 to 4 fit; what lies beyond stands at the edge. */
const STRIP_OCTAVES = 2

function strip({ ratios, limit, moreIsBetter }: Figure): string {
  if (ratios.length === 0) return ""
  const at = (ratio: number): number =>
    ((Math.max(-STRIP_OCTAVES, Math.min(STRIP_OCTAVES, Math.log2(ratio))) + STRIP_OCTAVES) / (2 * STRIP_OCTAVES)) *
      (STRIP_WIDTH - 8) +
    4
  const middle = STRIP_HEIGHT / 2
  const bound = limit?.of === "ratio" ? (limit.atMost ?? limit.atLeast) : undefined
  const kept =
    bound === undefined
      ? ""
      : moreIsBetter
        ? `<rect class=kept x=${at(bound)} y=0 width=${STRIP_WIDTH - at(bound)} height=${STRIP_HEIGHT} />`
        : `<rect class=kept x=0 y=0 width=${at(bound)} height=${STRIP_HEIGHT} />`
  const line = bound === undefined ? "" : `<line class=limit x1=${at(bound)} x2=${at(bound)} y1=0 y2=${STRIP_HEIGHT} />`
  const dots = ratios.map(ratio => `<circle cx=${at(ratio).toFixed(1)} cy=${middle} r=3 />`).join("")
  return (
    `<svg class=strip width=${STRIP_WIDTH} height=${STRIP_HEIGHT} role=img aria-label="ratios ${ratios.map(ratio => ratio.toFixed(2)).join(", ")}">` +
    `${kept}<line class=one x1=${at(1)} x2=${at(1)} y1=0 y2=${STRIP_HEIGHT} />${line}${dots}</svg>`
  )
}
