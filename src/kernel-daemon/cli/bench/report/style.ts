// style.ts: how the report looks, by day and by night, narrow and wide.

export const STYLE = `
:root{color-scheme:light dark;--bg:#fbfaf7;--card:#fff;--ink:#1d2430;--soft:#5d6675;--line:#e3e0d8;--ours:#d9480f;--reference:#7b8494;--ok:#2b8a3e;--missed:#c92a2a;--maybe:#a36a00}
@media (prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1a1f28;--ink:#e6e9ef;--soft:#98a1b1;--line:#2b313d;--ours:#ff8a4c;--reference:#8f99aa;--ok:#69db7c;--missed:#ff8787;--maybe:#f2c14e}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:clamp(20px,5vw,56px) clamp(16px,4vw,40px)}
.kicker{margin:0;color:var(--ours);font-weight:600;letter-spacing:.02em}
h1{margin:.2em 0 .5em;font-size:clamp(26px,4.6vw,44px);line-height:1.12;letter-spacing:-.02em;text-wrap:balance;max-width:20em}
h2{margin:0 0 .2em;font-size:22px;letter-spacing:-.01em}
h3{margin:0 0 12px;font-size:15px;color:var(--soft);font-weight:600}
section{margin-top:44px}
section>p{margin:0 0 16px;color:var(--soft);max-width:46em}
.machine{margin:2px 0;color:var(--soft);font-size:14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin-top:28px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px;display:flex;flex-direction:column;gap:4px}
.tile b{font-size:34px;line-height:1.1;letter-spacing:-.03em;font-variant-numeric:tabular-nums}
.tile b small{font-size:16px;margin-left:5px;letter-spacing:0;font-weight:600;color:var(--soft)}
.tile span{font-size:14px}
.tile i{font-style:normal;font-size:12.5px;color:var(--soft);margin-top:auto}
.chart,.bars,.scroll{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px}
.chart{min-height:300px;overflow:hidden}
.chart.low{min-height:200px}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:12px}
.bar{display:grid;grid-template-columns:minmax(120px,38%) 1fr 78px;gap:10px;align-items:center;font-size:14px;padding:4px 0}
.bar div{height:16px;background:var(--marks);border-radius:3px}
.bar i{display:block;height:100%;border-radius:3px;background:var(--line);min-width:2px;background:color-mix(in srgb,var(--reference) 45%,var(--card))}
.bar.reference i{background:var(--reference)}
.bar.ours i{background:var(--ours)}
.bar.ours span{font-weight:600}
.bar b{text-align:right;font-variant-numeric:tabular-nums;font-weight:600;white-space:nowrap}
.scroll{overflow-x:auto;padding:4px 16px}
table{border-collapse:collapse;width:100%;font-size:14px}
.figures{min-width:860px}
.figures td:first-child{min-width:220px}
.figures td:nth-child(6){white-space:nowrap}
.u-legend{min-width:0}
.u-legend .u-off>*{opacity:1}
td,th{text-align:left;vertical-align:top;padding:10px 14px 10px 0;border-top:1px solid var(--line)}
tr:first-child th{border-top:0;color:var(--soft);font-weight:600}
td small{display:block;color:var(--soft);font-size:12px;line-height:1.35;max-width:30em}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.n small{white-space:normal;max-width:13em;margin-left:auto}
mark{background:none;font-weight:700;white-space:nowrap}
mark.ok{color:var(--ok)}mark.missed{color:var(--missed)}mark.not-measurable{color:var(--maybe)}
.strip{display:block}
.strip .kept{fill:color-mix(in srgb,var(--ok) 14%,transparent)}
.strip .one{stroke:var(--line);stroke-dasharray:2 2}
.strip .limit{stroke:var(--ok);stroke-width:1.5}
.strip circle{fill:var(--ours);fill-opacity:.75}
summary{cursor:pointer;font-size:18px;font-weight:600;margin-bottom:12px}
footer{margin-top:56px;color:var(--soft);font-size:13px}
.u-legend{font-size:13px;text-align:left!important;color:var(--ink)}
.u-legend .u-series{margin-right:10px}
.u-legend .u-value{font-variant-numeric:tabular-nums}
.u-legend .u-marker{border-radius:50%}
`
