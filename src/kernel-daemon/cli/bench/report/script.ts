// script.ts: the report's script, which draws the charts with uPlot and redraws them when width or colours change.

export const SCRIPT = `
const data = JSON.parse(document.getElementById("data").textContent)
const narrow = matchMedia("(max-width: 600px)")
const dark = matchMedia("(prefers-color-scheme: dark)")
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const others = () => dark.matches
  ? ["#4dabf7", "#63e6be", "#b197fc", "#ffd43b", "#f783ac", "#a9e34b", "#66d9e8"]
  : ["#1971c2", "#099268", "#7048e8", "#b08900", "#c2255c", "#5c940d", "#0c8599"]
const times = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]]
const rates = [[1e9, "GB/s"], [1e6, "MB/s"], [1e3, "kB/s"], [1, "B/s"]]
const sizes = [[2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]]
const inUnits = units => value => {
  if (value == null) return ""
  const [by, name] = units.find(([step]) => value >= step) ?? units.at(-1)
  return Number((value / by).toPrecision(3)) + " " + name
}
const percent = value => value == null ? "" : Number(value.toPrecision(2)) + " %"

function draw(id, chart, { xs, ys, area, logY, height, xLog = 10, linearX }) {
  const place = document.getElementById(id)
  place.replaceChildren()
  if (chart.x.length === 0) {
    place.textContent = "Not measured yet."
    return
  }
  let next = 0
  let mine = 0
  const series = chart.series.map(({ name, kind }) => {
    const palette = others()
    const stroke = kind === "ours" ? colour("--ours") : kind === "reference" ? colour("--reference") : palette[next++ % palette.length]
    const dash = kind === "ours" ? (mine++ % 2 === 1 ? [6, 4] : undefined) : undefined
    return {
      label: name, stroke, dash, width: kind === "ours" ? 2.5 : 1.5, spanGaps: true,
      fill: area ? stroke + (kind === "ours" ? "33" : "14") : undefined,
      paths: area ? uPlot.paths.spline() : undefined,
      points: { show: !area && chart.x.length < 40, size: 6 },
      value: (_, value) => ys(value),
    }
  })
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "12px system-ui" }
  const labels = format => (_, splits) => splits.map(split => split == null ? "" : format(split))
  const powersOf = base => (_, __, low, high) => {
    const splits = []
    for (let power = Math.ceil(Math.log(low) / Math.log(base) - 1e-9); base ** power <= high * 1.0001; power++) splits.push(base ** power)
    return splits
  }
  new uPlot({
    width: place.clientWidth - 32, height: narrow.matches ? Math.min(height, 280) : height,
    scales: {
      x: linearX ? { time: false } : { time: false, distr: 3, log: xLog, range: (_, low, high) => [low, high] },
      y: logY ? { distr: 3 } : { range: (_, low, high) => [0, high * 1.08] },
    },
    axes: [
      { ...axis, values: labels(xs), space: narrow.matches ? 60 : 50, ...(linearX ? {} : { splits: powersOf(xLog), filter: (_, splits) => splits }) },
      { ...axis, values: labels(ys), size: 78, ...(logY ? { splits: powersOf(10), filter: (_, splits) => splits } : {}) },
    ],
    series: [{ label: linearX ? "look" : "at", value: (_, value) => value == null ? "" : xs(value) }, ...series],
    legend: { live: false },
    cursor: { points: { size: 7 }, drag: { x: false, y: false } },
  }, [chart.x, ...chart.series.map(({ values }) => values)], place)
}

function drawAll() {
  draw("latency", data.latency, { xs: inUnits(times), ys: percent, area: true, height: 380 })
  draw("sizes", data.sizes, { xs: inUnits(sizes), ys: inUnits(rates), logY: true, height: 380, xLog: 2 ** 3 })
  draw("probes", data.probes, { xs: String, ys: inUnits(times), logY: true, height: 200, linearX: true })
}
drawAll()
dark.addEventListener("change", drawAll)
let width = innerWidth
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawAll() } })
`
