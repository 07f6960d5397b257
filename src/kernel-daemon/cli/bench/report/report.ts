// report.ts: `bench report`: the last results as one HTML file that needs nothing else.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { describe } from "../figure-table.ts"
import type { Results } from "../results.ts"
import type { Figure, Machine } from "../row.ts"
import { chartsOf } from "./charts.ts"
import { comparison, figureRows, tiles } from "./parts.ts"
import { SCRIPT } from "./script.ts"
import { STYLE } from "./style.ts"

/** @throws {Error} nothing was measured yet */
export function reportPage(results: Results): string {
  const suites = Object.values(results)
  const machine = suites[0]?.machine
  if (machine === undefined) throw new Error("There are no results yet: run `npm run bench -- all` first")
  const figures = suites.flatMap(suite => suite.figures)
  const contests = suites.flatMap(suite => suite.contests)
  const judged = figures.filter(({ limit }) => limit !== null)
  const shown = figures.filter(({ limit }) => limit === null)
  const charts = JSON.stringify(chartsOf(results)).replaceAll("<", "\\u003c")
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>kaal-ipc, measured</title>
<style>${read("uplot/dist/uPlot.min.css")}${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kicker">kaal-ipc, measured</p>
<h1>Messages between processes, at the speed of the cache lines between them</h1>
<p class="machine">${escaped(describe(machine))}</p>
<p class="machine">${escaped(whenOf(machine, results))}</p>
</header>
<section class="tiles">${tiles(figures, contests)}</section>
<section>
<h2>How long a round trip takes</h2>
<p>64 bytes there and back. Every trip is counted; both axes start where there is something to see, and each step to the right is ten times as long.</p>
<div class="chart" id="latency"></div>
</section>
<section>
<h2>How much goes through, by the size of a message</h2>
<p>One process sends, the other checks every word. Both axes are logarithmic.</p>
<div class="chart" id="sizes"></div>
</section>
<section>
<h2>Side by side</h2>
<p>The same work for everybody: 64 bytes, stamped by the sender, checked by the receiver. Each bar to the next mark is ten times as much.</p>
<div class="sides">${comparison(contests)}</div>
</section>
<section>
<h2>What was asked</h2>
<p>Each dot is one pair of fresh processes, ours divided by the reference's; the line is the limit, and the shaded side keeps it.</p>
<div class="scroll"><table class="figures">${figureRows(judged)}</table></div>
</section>
<section>
<h2>Where the host put the processors</h2>
<p>A bare cache-line round trip before and after each trial. Nothing between two processes can be faster, and trials are compared only where it held still.</p>
<div class="chart low" id="probes"></div>
</section>
<section>
<details><summary>All other figures (${shown.length})</summary>
<div class="scroll"><table class="figures">${figureRows(shown)}</table></div></details>
</section>
<footer>Medians of alternating pairs of fresh processes, pinned, the cost of the time stamp subtracted. Written by <code>npm run bench -- report</code>.</footer>
</main>
<script type="application/json" id="data">${charts}</script>
<script>${read("uplot/dist/uPlot.iife.min.js")}</script>
<script>${SCRIPT}</script>
</body>
</html>
`
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
}

function whenOf(machine: Machine, results: Results): string {
  const counts = new Map<Figure["verdict"], number>()
  for (const { limit, verdict } of Object.values(results).flatMap(({ figures }) => figures)) {
    if (limit !== null) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  }
  const verdicts = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ")
  return `${machine.at.slice(0, 16).replace("T", " ")} UTC. Limits: ${verdicts}.`
}

function read(file: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(file), "utf8")
}
