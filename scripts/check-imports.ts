// check-imports.ts: who may import whom, and what the pure rooms may not touch. Uses the compiler's parser, since a
// regular expression takes comments and strings for code, and the rooms talk a lot about processes and clocks.

import { readFileSync } from "node:fs"
import { join, posix } from "node:path"
import ts from "typescript"

/**
 * What a room may import beside itself: other rooms, and packages or node: modules. A file of src/ or native/index.ts
 * belongs to the room with the longest prefix. A component's room is its own folder, so no component imports another.
 */
interface Room {
  readonly imports: readonly string[]
  readonly packages: boolean
  /** Decides, and does nothing else: no waiting, no clock, no randomness, no process. */
  readonly pure?: true
}

const KERNEL = "src/kernel-daemon/"
const COMPONENTS = "src/components/"
const WORDS = "src/ring/words.ts"
const SHAPES_WORDS = "src/ring/shapes/words.ts"

const KERNEL_HELPERS = ["kernel", "kernel-invariants", "kernel-snapshot"].map(name => `test/helpers/${name}.ts`)

const ROOMS: Readonly<Record<string, Room>> = {
  "native/index.ts": { imports: [], packages: true },
  [`${KERNEL}abi/`]: { imports: [], packages: false },
  [`${KERNEL}objects/`]: { imports: [`${KERNEL}abi/`], packages: false, pure: true },
  [`${KERNEL}invocation/`]: { imports: [`${KERNEL}objects/`, `${KERNEL}abi/`], packages: false, pure: true },
  [KERNEL]: {
    imports: [`${KERNEL}abi/`, `${KERNEL}objects/`, `${KERNEL}invocation/`, "src/ring/", WORDS, "native/index.ts"],
    packages: true,
  },
  [`${KERNEL}cli/`]: {
    imports: [
      KERNEL,
      `${KERNEL}abi/`,
      `${KERNEL}objects/`,
      `${KERNEL}invocation/`,
      "src/ring/",
      WORDS,
      "native/index.ts",
      "src/protocols/",
    ],
    packages: true,
  },
  "src/ring/": { imports: ["native/index.ts", WORDS, SHAPES_WORDS], packages: true },
  // A development tool: runs what ships under every schedule.
  "src/explorer/": { imports: ["src/ring/", WORDS, SHAPES_WORDS, "native/index.ts"], packages: true },
  // Plain numbers, which AssemblyScript compiles as well.
  [WORDS]: { imports: [], packages: false },
  [SHAPES_WORDS]: { imports: [WORDS], packages: false },
  "src/ring/wasm/": { imports: [WORDS, SHAPES_WORDS], packages: false },
  // What the components of one protocol and their starter say to one another; plain data.
  "src/protocols/": { imports: [], packages: false },
  [`${COMPONENTS}runtime/`]: {
    imports: [`${KERNEL}abi/`, "src/ring/", WORDS, SHAPES_WORDS, "native/index.ts"],
    packages: true,
  },
  // Goes past the runtime, as a hostile component does.
  [`${COMPONENTS}attacker/`]: {
    imports: [`${COMPONENTS}runtime/`, `${KERNEL}abi/`, "src/protocols/", "native/index.ts"],
    packages: true,
  },
  // What the two components of the plan share; a library, not a component.
  [`${COMPONENTS}plan/`]: { imports: [`${COMPONENTS}runtime/`, "src/protocols/"], packages: false },
  // The mutation check bundles these into one program, in which an addon would not be found.
  ...Object.fromEntries(
    ["test/unit/kernel-daemon/", "test/model/", ...KERNEL_HELPERS].map(room => [
      room,
      {
        imports: [`${KERNEL}abi/`, `${KERNEL}objects/`, `${KERNEL}invocation/`, ...KERNEL_HELPERS],
        packages: true,
      },
    ]),
  ),
}
const COMPONENT: Room = {
  imports: [`${COMPONENTS}runtime/`, `${COMPONENTS}plan/`, "src/protocols/"],
  packages: false,
}

const IMPURE = new Set(
  ["Date", "performance", "process", "Promise", "crypto", "require", "globalThis", "queueMicrotask"].concat([
    "setTimeout",
    "setInterval",
    "setImmediate",
  ]),
)

/**
 * The violations of one file, "path:line: what is wrong", in the order of the file.
 *
 * @param path   from the repository's root, with slashes
 * @param source its text
 */
export function importViolations(path: string, source: string): string[] {
  const own = roomOf(path)
  if (own === undefined) return [`${path}:1: belongs to no room; add one to scripts/check-imports.ts or move it`]
  const room = ROOMS[own] ?? COMPONENT
  const found: string[] = []
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true)
  const report = (node: ts.Node, what: string) => {
    found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`)
  }
  const visit = (node: ts.Node): void => {
    const specifier = importedBy(node)
    const wrong = specifier === undefined ? undefined : importViolation(path, own, room, specifier)
    if (wrong !== undefined) report(node, wrong)
    const impure = room.pure ? impurity(node) : undefined
    if (impure !== undefined) report(node, `"${impure}" in a pure room; let the broker do it and pass the result in`)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

function importViolation(path: string, own: string, room: Room, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) {
    return room.packages ? undefined : `${own} must not import "${specifier}"; it imports files of this project only`
  }
  const joined = posix.join(posix.dirname(path), specifier)
  // AssemblyScript's specifiers have no extension.
  const target = posix.extname(joined) === "" ? `${joined}.ts` : joined
  const other = roomOf(target)
  if (other === own || (other !== undefined && room.imports.includes(other))) return undefined
  const allowed = room.imports.length === 0 ? "nothing" : room.imports.join(", ")
  return `${own} must not import ${target}; beside itself it may import ${allowed}`
}

/** The longest prefix that is a room, or the component's own folder. */
function roomOf(path: string): string | undefined {
  const [declared] = Object.keys(ROOMS)
    .filter(prefix => path === prefix || (prefix.endsWith("/") && path.startsWith(prefix)))
    .sort((a, b) => b.length - a.length)
  return declared ?? path.match(/^src\/components\/[^/]+\//)?.[0]
}

/** The specifier of an import in any of its forms; types count, since they tie rooms together as well. */
function importedBy(node: ts.Node): string | undefined {
  let specifier: ts.Node | undefined
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier
  else if (ts.isImportTypeNode(node))
    specifier = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
  else if (ts.isCallExpression(node) && /^(import|require)$/.test(node.expression.getText()))
    specifier = node.arguments[0]
  return specifier && ts.isStringLiteralLike(specifier) ? specifier.text : undefined
}

function impurity(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return "async"
  if (ts.isAwaitExpression(node)) return "await"
  if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return "for await"
  if (!ts.isIdentifier(node)) return undefined
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) {
    if (parent.name === node) return parent.getText() === "Math.random" ? "Math.random" : undefined
  } else if ("name" in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent)) return undefined
  return IMPURE.has(node.text) ? node.text : undefined
}

/** The violations of all files of `paths` that belong to src/ or native/, or are a pure test of the kernel; others have no rules. */
export function checkImports(root: string, paths: readonly string[]): string[] {
  return paths
    .filter(path => /^(src\/.*|native\/[^/]+|test\/(unit\/kernel-daemon|model|helpers\/kernel).*)\.ts$/.test(path))
    .flatMap(path => importViolations(path, readFileSync(join(root, path), "utf8")))
}
