// bundle.ts: the sources as plain JavaScript, one CommonJS file for each program. Starting it costs 36 ms, tsx 184.

import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { build } from "esbuild"

/** esbuild's options for one CommonJS file that starts on the oldest Node. */
export const COMMON_JS = {
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20.17",
  logLevel: "warning",
  // CommonJS has no import.meta, and esbuild would leave it undefined.
  define: { "import.meta.url": "importMetaUrl" },
  banner: { js: `const importMetaUrl = require("node:url").pathToFileURL(__filename).href` },
} as const

const PROGRAMS = {
  "kernel-daemon": "src/kernel-daemon/start.ts",
  kernel: "src/kernel-daemon/main.ts",
  kaal: "src/kernel-daemon/cli/main.ts",
  "component-start": "src/components/runtime/start.ts",
} as const
const COMMAND = "kaal.cjs"
const COMPONENTS = "src/components"
/** What components link; not a component. */
const RUNTIME = "runtime"

/** Bundles by name, each with its entry: the programs, and every folder of src/components that holds a main.ts. */
export function entries(root: string): Record<string, string> {
  const found: Record<string, string> = { ...PROGRAMS }
  for (const name of readdirSync(join(root, COMPONENTS)).sort()) {
    const entry = `${COMPONENTS}/${name}/main.ts`
    if (name !== RUNTIME && existsSync(join(root, entry))) found[`components/${name}`] = entry
  }
  return found
}

/**
 * Writes NAME.cjs into `outDir` for each of `entries(root)`, and removes a bundle whose component is gone.
 * Each file is replaced in one step, so that a process starting meanwhile reads the old one or the new one.
 *
 * @throws {Error} esbuild's, after it has printed file and line; nothing has been replaced then
 * Cost: about 100 ms.
 */
export async function bundle(root: string, outDir: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries(root),
    outdir: outDir,
    outExtension: { ".js": ".cjs" },
    ...COMMON_JS,
    write: false,
    charset: "utf8",
    legalComments: "inline",
  })
  for (const { path, text } of outputFiles) {
    const isCommand = basename(path) === COMMAND
    replace(path, isCommand ? `#!/usr/bin/env node\n${text}` : text, isCommand ? 0o755 : 0o644)
  }
  const components = join(outDir, "components")
  const made = new Set(outputFiles.map(file => file.path))
  for (const name of existsSync(components) ? readdirSync(components) : []) {
    if (!made.has(join(components, name))) rmSync(join(components, name))
  }
}

function replace(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text)
  chmodSync(temporary, mode)
  renameSync(temporary, path)
}
