// explore-bundle.ts: explore-worker.ts as one file, with one source changed: it starts in a tenth of the time that its sources take.

import { join } from "node:path"
import { build } from "esbuild"
import { COMMON_JS } from "./bundle.ts"

const root = join(import.meta.dirname, "..")

/**
 * @param folder where it goes: beside it must be what the addon is found by, package.json and build
 * @param changed a source file, by its path from the root, with another text than it has
 * @returns the bundle's path; the one that was there before is replaced
 * @throws {Error} esbuild's, where the text is no TypeScript; or the file is not part of the worker
 * Cost: about 0.1 s.
 */
export async function bundleWorker(
  folder: string,
  changed: { readonly path: string; readonly text: string },
): Promise<string> {
  let isPart = false
  const outfile = join(folder, "explore-worker.cjs")
  await build({
    absWorkingDir: root,
    entryPoints: ["scripts/explore-worker.ts"],
    outfile,
    ...COMMON_JS,
    // The compiler, which such a worker has no use for.
    external: ["*/explore-module.ts"],
    plugins: [
      {
        name: "changed",
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            if (path !== join(root, changed.path)) return undefined
            isPart = true
            return { contents: changed.text, loader: "ts" }
          })
        },
      },
    ],
  })
  if (!isPart) throw new Error(`${changed.path} is no part of explore-worker.ts`)
  return outfile
}
